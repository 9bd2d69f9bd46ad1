"""Read archives as hostile input: no member leaves its folder or exceeds the limits."""
