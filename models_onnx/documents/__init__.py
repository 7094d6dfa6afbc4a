"""What is published of a model from its card: source attributes, CHAI, TRIPOD+AI."""
