"""Tests of `toolsync.maintain`."""
