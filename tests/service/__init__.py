"""Whole set-ups, driven through the command line."""
