"""YAML text to a struct; whatever does not fit is named with its file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")
_BOOLEAN = "tag:yaml.org,2002:bool"


class TenantError(Exception):
    """A tenant file that must not be started with: which file, which line, and what to change."""


class _Loader(yaml.SafeLoader):
    """YAML in which only `true` and `false` are booleans, so that `mode: on` is the word it looks like."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read(path: Path, kind: type[T], *, defaults: Callable[[dict[str, Any]], dict[str, Any]]) -> T:
    """The file as `kind`; `defaults` says what stands in for members left out, given those that are there.

    Raises TenantError naming file and line for anything unreadable, unknown or of the wrong type.
    """
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise TenantError(f"{path}:1: a tenant is a mapping of members")
        _refuse_repeated_keys(node, path)
        values = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TenantError(f"{path}:{line}: not readable as YAML: {error.problem}") from error
    finally:
        loader.dispose()
    try:
        return msgspec.convert({**defaults(values), **values}, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise TenantError(f"{path}:{_line(node, str(error))}: {error}") from error


def line_of(path: Path, member: str) -> int:
    """The line (from 1) on which a top-level member of a readable file stands; 1 if it is not there."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    return _line(node, f"- at `$.{member}`") if isinstance(node, yaml.MappingNode) else 1


def _decode(kind: type, value: object) -> object:
    """The one kind of member that msgspec does not know is a path; a TypeError becomes its error, with the place."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"Expected `{kind.__name__.lower()}` as text, got `{type(value).__name__}`")


def _refuse_repeated_keys(node: yaml.Node, path: Path) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, path)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            raise TenantError(f"{path}:{key.start_mark.line + 1}: `{key.value}` is given twice")
        seen.add(key.value)
        _refuse_repeated_keys(value, path)


def _line(node: yaml.Node, message: str) -> int:
    """The line of the node that a msgspec message such as "… unknown field `x` - at `$.clients[0]`" speaks of."""
    path = re.search(r"at `\$([^`]*)`", message)
    for name, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", path.group(1) if path else ""):
        found = _item(node, int(index)) if index else _member(node, name)
        if found is None:
            break
        node = found
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown and isinstance(node, yaml.MappingNode):
        return next((key.start_mark.line + 1 for key, _ in node.value if key.value == unknown.group(1)), 1)
    return int(node.start_mark.line) + 1


def _member(node: yaml.Node, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _item(node: yaml.Node, index: int) -> yaml.Node | None:
    return node.value[index] if isinstance(node, yaml.SequenceNode) and index < len(node.value) else None
