"""Tests of `toolsync.verify`."""
