"""Features in, scores out: every model is one ONNX graph beside its card and its golden scores."""
