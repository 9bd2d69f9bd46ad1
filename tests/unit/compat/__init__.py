"""Tests of `toolsync.compat`."""
