"""What was seen, decided and sent: the only package with SQL."""
