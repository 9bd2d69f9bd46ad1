"""Bring packages to where instances find them, and make sure that they are found."""
