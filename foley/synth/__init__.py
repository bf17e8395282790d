"""Physically informed sound models."""
