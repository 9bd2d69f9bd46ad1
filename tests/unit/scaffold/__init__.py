"""Packaging for what nobody has packaged."""
