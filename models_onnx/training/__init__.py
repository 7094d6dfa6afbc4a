"""How every model is made: coefficients or data in; graph, card and golden scores out. Never in the serving image."""
