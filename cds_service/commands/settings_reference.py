"""docs/settings.md from the code: every variable and every member of a tenant's file, with type, default, meaning."""

from __future__ import annotations

import datetime
import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from cds_service.tenants.tenant import Tenant
from cds_service.web import environment, secret_files
from cds_service.web.settings import Settings

BEGINNING = """# Settings

Made from the code by `python -m cds_service.commands.reference`; a test holds the two equal. What the settings are
for is told in [operations.md](operations.md), [integration.md](integration.md) and [mapping.md](mapping.md).

## Of a deployment

Environment variables, read by `serve`, `check` and `demo`. A variable that begins with `CDS_` and is none of these
stops the start, by the nearest name: what is misspelt would be left at its default. The variables that Kubernetes sets
for a Service called `cds`, and those in which a tenant keeps a token, are passed over.

| variable | type | default | what it does |
|--|--|--|--|
"""
OF_OTHERS = {
    "FHIR_TOKEN": "`call` and `mapping-report`: bearer token for the FHIR server.",
    "NO_COLOR": "Any value: no colour on a terminal.",
    "OTEL_…": "Traces: [operations.md](operations.md#traces).",
}
OF_A_TENANT = """
## Of a tenant

One YAML file for each EHR installation, in the folder that `CDS_TENANTS` names. Paths are read from the file's own
folder; a member that is not listed here stops the start with file and line. Outside production three defaults differ:
`card_floor` is 0 where no `card_floors` are named, silence is explained, and without clients `client_jwt` is
`optional`.

"""
_ENTRY = re.compile(r"((?:`\w{1,40}`(?:, )?){1,4}): ")
_SIMPLE = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", datetime.date: "date",
    SecretStr: "text", Any: "anything",
}  # fmt: skip


def page() -> str:
    """The whole page."""
    return BEGINNING + "\n".join([*_variables(), "", *_tenant()]) + "\n"


def documented(struct: type[msgspec.Struct]) -> dict[str, str]:
    """What the docstring of a struct says of each of its fields: "`name`: words.", several names with one text."""
    text = " ".join((inspect.getdoc(struct) or "").split())
    names = set(struct.__struct_fields__)
    entries = [(one, re.findall(r"\w+", one[1])) for one in _ENTRY.finditer(text)]
    entries = [(one, of) for one, of in entries if names.issuperset(of)]
    ends = [one.start() for one, _ in entries[1:]] + [len(text)]
    found: dict[str, str] = {}
    for (one, of), end in zip(entries, ends, strict=True):
        told = text[one.end() : end].strip().rstrip(",").removesuffix(", or").strip()
        found |= dict.fromkeys(of, told)
    return found


def _variables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        variable = "DATABASE_URL" if name == "database_url" else f"CDS_{name.upper()}"
        default = "" if field.default in (None, PydanticUndefined) else _value(field.default)
        yield f"| `{variable}` | {_type(field.annotation, field.metadata)} | {default} | {field.description} |"
    for variable, words in (secret_files.variables() | environment.OF_COMMANDS | OF_OTHERS).items():
        yield f"| `{variable}` | text | | {words} |"


def _tenant() -> Iterator[str]:
    yield OF_A_TENANT.strip("\n")
    seen: list[type[msgspec.Struct]] = [Tenant]
    for struct in seen:
        fields = msgspec.structs.fields(struct)
        says = documented(struct)
        yield ""
        yield f"### {struct.__name__}" if struct is not Tenant else "### The file"
        yield ""
        yield _first_sentence(struct)
        yield ""
        yield "| member | type | default | what it does |"
        yield "|--|--|--|--|"
        for field in fields:
            inner = _struct_in(field.type)
            if inner is not None and inner not in seen:
                seen.append(inner)
            yield f"| `{field.name}` | {_type(field.type)} | {_default(field)} | {_cell(says[field.name])} |"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("<", "&lt;")


def _first_sentence(struct: type[msgspec.Struct]) -> str:
    return (inspect.getdoc(struct) or "").partition("\n\n")[0].replace("\n", " ")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "" if default is None or isinstance(default, msgspec.Struct) else _value(default)


def _value(value: Any) -> str:
    """As YAML writes it; nothing where it is empty."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`" if value else ""
    return f"`{value}`" if value not in ("", {}) else ""


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for one in typing.get_args(kind) if (found := _struct_in(one)) is not None), None)


def _type(kind: Any, constraints: Any = ()) -> str:  # noqa: PLR0911 — a case for each kind of type
    """The type in words a person uses; limits behind it."""
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _type(of[0], of[1:])
    if origin in (typing.Union, types.UnionType):
        return _type(next(one for one in of if one is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in of)
    if origin is tuple:
        return f"list of {_type(of[0])}" if of[-1] is Ellipsis else f"list of {len(of)} numbers"
    if origin is dict:
        return "mapping"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    return f"{_SIMPLE[kind]}{_limits(constraints)}"


def _limits(constraints: Any) -> str:
    low = next((one.ge for one in constraints if getattr(one, "ge", None) is not None), None)
    high = next((one.le for one in constraints if getattr(one, "le", None) is not None), None)
    return f", {low} to {high}" if low is not None and high is not None else ""
