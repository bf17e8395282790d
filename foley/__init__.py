"""foley gives a video its sound effects."""

__version__ = "0.1.0"
