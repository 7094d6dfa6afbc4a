"""Past orders answered again, by the very functions that answer live, as of the instant of each order."""
