"""Tests of `toolsync.pipeline`."""
