"""What everything that runs neural networks shares: the packages, the device, the weights."""
