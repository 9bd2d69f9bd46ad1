"""Tests of `toolsync.http`."""
