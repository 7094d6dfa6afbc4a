"""The rooms of the code, measured: circles, the way of a request, names that stand twice."""
