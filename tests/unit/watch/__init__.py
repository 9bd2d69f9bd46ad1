"""Tests of `toolsync.watch`."""
