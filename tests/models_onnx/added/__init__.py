"""Models that a site adds: what is refused, what they answer, and the folder that keeps them."""
