"""Tests of `toolsync.model`."""
