"""Bind a release's version to what was proved: a proof is of bytes, and not of their name."""
