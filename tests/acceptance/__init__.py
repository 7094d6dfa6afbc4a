"""Over HTTP: each patient and its answer; every way to fail, its status and its shape."""
