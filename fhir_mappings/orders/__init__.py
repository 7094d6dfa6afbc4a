"""Orders: what is being operated, what is pending, and what can be ordered by which code."""
