"""Bring what a release consists of into the store."""
