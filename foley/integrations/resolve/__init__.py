"""Scripts for DaVinci Resolve."""
