"""The sample clips, one module each, and the brushes they share."""
