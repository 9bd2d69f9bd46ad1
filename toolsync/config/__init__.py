"""Settings and definitions: files are read, all faults are told at once, values are frozen."""
