"""Tests of `toolsync.unpack`."""
