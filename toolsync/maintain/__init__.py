"""Look after a set-up: what is missing, what may go, copies of it, and unattended runs."""
