"""Measures of the whole product: ratios within one run, never timed assertions."""
