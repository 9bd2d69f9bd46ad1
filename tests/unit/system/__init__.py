"""Tests of `toolsync.system`."""
