"""Tests of `toolsync.journal`."""
