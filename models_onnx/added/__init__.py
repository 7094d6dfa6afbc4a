"""Models that a site adds: what a graph may hold, its trial in a process of its own, and the folder that keeps them."""
