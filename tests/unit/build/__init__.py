"""Tests of `toolsync.build`."""
