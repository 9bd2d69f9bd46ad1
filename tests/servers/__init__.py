"""Servers on the loopback that tests talk to."""
