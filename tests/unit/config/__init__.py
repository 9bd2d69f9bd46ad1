"""Tests of `toolsync.config`."""
