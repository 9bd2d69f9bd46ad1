"""Put what happened into words: sentences, tables, evidence."""
