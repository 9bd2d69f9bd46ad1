"""Measurements beside the programs that people use today; no part of the test suite."""
