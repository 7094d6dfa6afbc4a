"""Tests of models_onnx.documents."""
