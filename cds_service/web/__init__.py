"""HTTP: the application, its server and workers, and the URLs of the protocol and of operations."""
