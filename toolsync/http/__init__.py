"""The way to other people's servers: bounded, polite, and with errors in words."""
