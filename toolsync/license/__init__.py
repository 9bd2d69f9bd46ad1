"""The license gate: the terms of a release, and what changed in them."""
