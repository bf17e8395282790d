"""What one decode of the picture feeds, frame by frame."""
