"""Programs of the Makefile: replays, faults, fuzzing, pictures."""
