"""Read archives of every kind as hostile input: what comes out can neither escape nor exhaust."""
