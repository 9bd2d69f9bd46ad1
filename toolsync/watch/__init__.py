"""See what a release page offers: one reader per kind of page, in a visible table."""
