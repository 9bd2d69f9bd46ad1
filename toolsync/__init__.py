"""Keep vendors' cloud tools in sync in an apt archive, with proof of every step."""
