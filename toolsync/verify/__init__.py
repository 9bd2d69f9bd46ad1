"""Prove where a release's bytes come from, by the method that the tool declares."""
