"""Tests of `toolsync.attest`."""
