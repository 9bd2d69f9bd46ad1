"""The HTTP client: bounded downloads, limits for each host, errors in plain words."""
