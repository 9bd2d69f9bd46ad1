"""Tests of `toolsync.license`."""
