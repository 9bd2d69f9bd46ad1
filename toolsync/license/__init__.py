"""Gate a release on its license terms."""
