"""Reports of what happened: messages, metrics, a feed and the static page."""
