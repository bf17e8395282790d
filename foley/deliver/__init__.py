"""Hands the result back: video, stems, report."""
