"""Tests of `toolsync.package`."""
