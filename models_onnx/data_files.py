"""The one reader of data files: YAML, JSON and tables, in which nothing may be said twice.

It knows nothing of models; it stands here because the mapping and the service may both import it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")
_BOOLEAN = "tag:yaml.org,2002:bool"


class DataFileError(ValueError):
    """A data file that cannot be used: `file:line: what is wrong`."""


class _Loader(yaml.CSafeLoader):
    """`mode: on` is the word it looks like, for only `true` and `false` are booleans; a repeated key is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for name, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = self.construct_object(name, deep=True)
            if isinstance(key, list | dict | set):
                raise yaml.MarkedYAMLError(problem="a key is one word", problem_mark=name.start_mark)
            if key in seen:
                raise _RepeatedKeyError(problem=f"`{name.value}` is given twice", problem_mark=name.start_mark)
            seen.add(key)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class _RepeatedKeyError(yaml.MarkedYAMLError):
    """Readable, and ambiguous."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(
    path: Path,
    kind: type[T],
    *,
    complete: Callable[[Any], Any] = lambda values: values,
    decode: Callable[[type, Any], Any] | None = None,
) -> T:
    """The file as `kind`. Raises DataFileError naming file and line, and OSError.

    `complete` is given what the file holds and says what stands for it; `decode` is msgspec's `dec_hook`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}:1: {why(error)}") from error
    values = _loaded(text, path)
    try:
        return msgspec.convert(complete(values), kind, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise DataFileError(f"{path}:{_line_of_error(text, str(error))}: {error}") from error


def read_json(path: Path, kind: type[T]) -> T:
    """The file as `kind`. Raises DataFileError naming file and line, and OSError."""
    content = path.read_bytes()
    try:
        decoded = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataFileError(f"{path}:{_line_in_json(content, error)}: {why(error)}") from error
    try:
        json.loads(content, object_pairs_hook=_once)
    except _TwiceError as error:
        raise DataFileError(f"{path}:{_line_of_repeated(content)}: `{error}` is given twice") from error
    return decoded


def read_rows(path: Path, header: Sequence[str], key: Sequence[str]) -> Iterator[list[str]]:
    """The rows of a table with comments (`#`) and this header; `key` names the columns that make a row the one it is.

    Raises DataFileError naming file and line for another header, a row of another length, and a key given twice.
    """
    at = [header.index(name) for name in key]
    seen: set[tuple[str, ...]] = set()
    with path.open(encoding="utf-8", newline="") as lines:
        numbered = ((number, line) for number, line in enumerate(lines, 1) if not line.startswith("#"))
        for place, (number, line) in enumerate(numbered):
            row = next(csv.reader([line]))
            if place == 0 and row != list(header):
                raise DataFileError(f"{path}:{number}: its header is not {','.join(header)}")
            if len(row) != len(header):
                raise DataFileError(f"{path}:{number}: {row[0] if row else ''} has {len(row)} cells, not {len(header)}")
            if (own := tuple(row[column] for column in at)) in seen:
                raise DataFileError(f"{path}:{number}: `{','.join(own)}` is given twice")
            seen.add(own)
            if place:
                yield row


def why(error: Exception) -> str:
    """Why a file cannot be read, in words: what the system says of it, or what a reader of ours found."""
    if isinstance(error, OSError):
        return (error.strerror or "cannot be read").lower()
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error)


def line_of(path: Path, member: str) -> int:
    """The line (from 1) on which a top-level member of a readable file stands; 1 if it is not there."""
    return _line_of_error(path.read_text(encoding="utf-8"), f"- at `$.{member}`")


def _loaded(text: str, path: Path) -> Any:
    if _depth(text.encode()) > _DEEPEST:
        raise DataFileError(f"{path}:1: is nested too deeply")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 — a SafeLoader
    except _RepeatedKeyError as error:
        raise DataFileError(f"{path}:{_line(error)}: {error.problem}") from error
    except yaml.MarkedYAMLError as error:
        raise DataFileError(f"{path}:{_line(error)}: not readable as YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise DataFileError(f"{path}:1: not readable as YAML") from error
    except RecursionError as error:
        raise DataFileError(f"{path}:1: {why(error)}") from error


def _line_in_json(content: bytes, error: Exception) -> int:
    """Where JSON is malformed, or what does not fit stands: to a reader that knows lines JSON is YAML."""
    if byte := re.search(r"\(byte (\d{1,9})\)", str(error)):
        return content[: int(byte.group(1))].count(b"\n") + 1
    if not isinstance(error, msgspec.ValidationError) or _depth(content) > _DEEPEST:
        return 1
    try:
        return _line_of_error(content.decode(), str(error))
    except (yaml.YAMLError, UnicodeDecodeError):
        return 1


_DEEPEST = 1_000  # brackets; libyaml goes down by recursion in C, and a depth of tens of thousands ends the process


def _depth(content: bytes) -> int:
    """How deep the brackets of a text may nest, those in strings and comments counted too."""
    now = most = 0
    for byte in content:
        if byte in b"[{":
            now += 1
            most = max(most, now)
        elif byte in b"]}":
            now -= 1
    return most


def _line(error: yaml.MarkedYAMLError) -> int:
    return int(error.problem_mark.line) + 1 if error.problem_mark else 1


def _line_of_error(text: str, message: str) -> int:
    """The line of the node that a msgspec message such as "… unknown field `x` - at `$.clients[0]`" speaks of."""
    node = yaml.compose(text, Loader=_Loader)
    path = re.search(r"at `\$([^`]*)`", message)
    for name, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", path.group(1) if path else ""):
        found = _item(node, int(index)) if index else _member(node, name)
        if found is None:
            break
        node = found
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown and isinstance(node, yaml.MappingNode):
        return next((key.start_mark.line + 1 for key, _ in node.value if key.value == unknown.group(1)), 1)
    return int(node.start_mark.line) + 1 if node is not None else 1


def _member(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _item(node: yaml.Node | None, index: int) -> yaml.Node | None:
    return node.value[index] if isinstance(node, yaml.SequenceNode) and index < len(node.value) else None


class _TwiceError(Exception):
    """The key that an object names twice."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _line_of_repeated(content: bytes) -> int:
    """Where the key stands the second time: JSON is YAML to a reader that knows lines."""
    try:
        yaml.load(content.decode(), Loader=_Loader)  # noqa: S506 — a SafeLoader
    except yaml.MarkedYAMLError as error:
        return _line(error)
    return 1
