"""Exporters, one file each; its name is the exporter's name."""
