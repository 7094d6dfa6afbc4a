"""The registry as the service loads it, once for all tests."""

from __future__ import annotations

import pytest

from models_onnx.registry import Registry, load


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load(class_b=True)
