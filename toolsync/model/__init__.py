"""Releases and what they become; errors; versions: values that do nothing."""
