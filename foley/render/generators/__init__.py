"""Generators: one file each, found by folder."""
