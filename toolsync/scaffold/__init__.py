"""Write the packaging of a program that nobody has packaged, from what its tree shows."""
