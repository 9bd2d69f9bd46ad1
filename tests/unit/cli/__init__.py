"""Tests of `toolsync.cli`."""
