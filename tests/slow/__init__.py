"""What needs minutes: clean chroots, real builds, kills."""
