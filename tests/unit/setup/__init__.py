"""Tests of `toolsync.setup`."""
