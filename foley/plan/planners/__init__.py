"""Planners: one file each, found by folder."""
