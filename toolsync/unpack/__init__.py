"""Read an archive as hostile input and make its orig tarball, the same bytes everywhere."""
