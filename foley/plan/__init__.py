"""Decides what is to be heard, why and when."""
