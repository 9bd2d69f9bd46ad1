"""Tests of `toolsync.fetch`."""
