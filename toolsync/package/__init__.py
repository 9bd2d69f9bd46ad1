"""Make the Debian source package of a release, and its binaries."""
