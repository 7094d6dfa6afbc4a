"""Tests of models_onnx."""
