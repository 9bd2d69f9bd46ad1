"""The command line: parse, call one function, render, and one catch for the exit status."""
