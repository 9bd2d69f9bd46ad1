"""The compatibility gate: what users of a release would miss in the next one."""
