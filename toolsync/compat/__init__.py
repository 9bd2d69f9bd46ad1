"""Gate a release on what its users would miss."""
