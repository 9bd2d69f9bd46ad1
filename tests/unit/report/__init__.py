"""Tests of `toolsync.report`."""
