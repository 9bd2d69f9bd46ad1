"""What a gate is: it judges a release, and a person decides where it would hold one."""
