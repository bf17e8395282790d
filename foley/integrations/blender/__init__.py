"""The add-on for Blender."""
