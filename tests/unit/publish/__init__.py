"""Tests of `toolsync.publish`."""
