"""Make binaries of a source package, lint them and run their tests."""
