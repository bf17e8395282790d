"""Measures finished work."""
