"""Features in, scores out: every model is one ONNX graph beside its card and its golden scores."""

import os

# onnxruntime of 1.29 and later sends Microsoft what it opens and runs, from a thread of its own, unless this stands in
# the environment before it is loaded: https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
