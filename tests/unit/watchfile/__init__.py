"""Tests of `toolsync.watchfile`."""
