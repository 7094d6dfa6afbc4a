"""How the service is run: modes, limits, health, metrics, traces, and logs that cannot hold patient data."""
