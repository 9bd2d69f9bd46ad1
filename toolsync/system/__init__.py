"""Every outside effect: network, subprocesses, files of state, locks and the clock."""
