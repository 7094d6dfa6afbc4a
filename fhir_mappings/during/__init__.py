"""What was recorded during one operation: its course, what was set aside, and how long it was beyond which limit."""
