"""Read toolsync.toml and tool.toml against the tables of all that they may name."""
