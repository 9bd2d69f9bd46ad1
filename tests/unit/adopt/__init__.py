"""Tests of `toolsync.adopt`."""
