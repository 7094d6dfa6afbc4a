"""A tenant's YAML text to a struct; whatever does not fit is named with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from models_onnx import data_files
from models_onnx.data_files import DataFileError, line_of

__all__ = ["TenantError", "line_of", "read_yaml"]

T = TypeVar("T")


class TenantError(Exception):
    """A tenant file that must not be started with: which file, which line, and what to change."""


def read_yaml(path: Path, kind: type[T], *, defaults: Callable[[dict[str, Any]], dict[str, Any]]) -> T:
    """The file as `kind`; `defaults` says what stands in for members left out, given those that are there.

    Raises TenantError naming file and line for anything unreadable, unknown or of the wrong type.
    """

    def complete(values: Any) -> dict[str, Any]:
        if not isinstance(values, dict):
            raise DataFileError(f"{path}:1: a tenant is a mapping of members")
        return {**defaults(values), **values}

    try:
        return data_files.read_yaml(path, kind, complete=complete, decode=_decode)
    except DataFileError as error:
        raise TenantError(str(error)) from error


def _decode(kind: type, value: object) -> object:
    """The one kind of member that msgspec does not know is a path; a TypeError becomes its error, with the place."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"Expected `{kind.__name__.lower()}` as text, got `{type(value).__name__}`")
