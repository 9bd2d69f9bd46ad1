"""Say in a signed statement all that is known of a release, and check such a statement."""
