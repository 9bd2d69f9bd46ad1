"""toolsync in a browser: pages and an API over the same functions as the command line."""
