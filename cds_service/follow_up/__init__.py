"""After the answer: which calls were about one operation, what came of it, and when that may be counted."""
