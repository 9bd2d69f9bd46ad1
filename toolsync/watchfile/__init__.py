"""Read debian/watch of versions 1 to 5, and come to the same releases as from any page."""
