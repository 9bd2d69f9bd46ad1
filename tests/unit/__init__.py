"""One folder for each package of toolsync, one file for each of its modules or matters."""
