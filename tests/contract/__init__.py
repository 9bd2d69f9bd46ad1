"""What every implementation of an interface keeps to, the real one and those of the tests."""
