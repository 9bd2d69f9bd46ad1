"""What tests share: small vendors, archives, keys, set-ups."""
