"""What went wrong, for the person at a terminal: which file or server and what of it, without a class name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

_OURS = ("cds_service.", "fhir_mappings.", "models_onnx.")


@contextmanager
def in_plain_words() -> Iterator[None]:
    """An error that a person can do something about becomes `Error: …` and exit code 1; a fault of ours stays one."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        if (words := plain(error)) is None:
            raise
        raise click.ClickException(words) from error


def plain(error: Exception) -> str | None:
    """The words for an error of the world around or of our own making; None for a fault in the program."""
    if isinstance(error, click.ClickException):
        return error.message
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, UnicodeDecodeError):
        return "a file is not text in UTF-8"
    module = type(error).__module__ or ""
    if module.startswith("sqlalchemy."):
        from cds_service.records import reasons  # noqa: PLC0415 — most commands have no database

        return f"the database: {reasons.reason(error)}"
    return str(error) if module.startswith(_OURS) else None


def of_settings(error: ValueError) -> str:
    """What is wrong with which setting: what pydantic finds, without its own words for it and without any value."""
    found = getattr(error, "errors", None)
    if not callable(found):
        return str(error)
    return "; ".join(f"{_setting(one['loc'])}: {_in_words(one['msg'])}" for one in found())


def _in_words(told: str) -> str:
    """Without what pydantic puts before a complaint of ours."""
    told = told.removeprefix("Value error, ")
    return f"{told[0].lower()}{told[1:]}"


def _setting(place: tuple[object, ...]) -> str:
    name = ".".join(map(str, place)).upper()
    return name if name == "DATABASE_URL" else f"CDS_{name}"


def _of_the_system(error: OSError) -> str:
    what = (error.strerror or str(error)).lower()
    return f"{error.filename}: {what}" if error.filename else what
