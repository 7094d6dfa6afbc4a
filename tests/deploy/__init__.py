"""What lies in deploy/, as the tools read it that will read it in a hospital."""
