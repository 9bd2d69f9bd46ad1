"""Make a tool of an address or of packaging that exists."""
