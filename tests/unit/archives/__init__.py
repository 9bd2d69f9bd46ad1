"""Tests of `toolsync.archives`."""
