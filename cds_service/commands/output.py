"""How every command tells its result: lines for a person, or with --json one document; what fails in plain words."""

from __future__ import annotations

import contextlib
import io
import json
import os
from typing import Any

import click

from cds_service.commands import faults

_DOCUMENT = f"{__name__}.document"
_WHOLE = f"{__name__}.whole"
_COLOURS = {"ok": "green", "FAIL": "red", "WARN": "yellow"}


def say(line: str, **members: object) -> None:
    """A line for a person; the same as members of the document for a program. Told to one of them, never to both."""
    document = _document()
    if document is None:
        click.echo(line)
    else:
        document.update(members)


def row(name: str, line: str, member: object) -> None:
    """One of several: a line for a person; an entry of the document's list `name` for a program."""
    document = _document()
    if document is None:
        click.echo(line)
    else:
        document.setdefault(name, []).append(member)


def members(**members: object) -> None:
    """What a program is told and a person reads between the lines: that a list is empty, that all is well."""
    if (document := _document()) is not None:
        document.update(members)


def whole(written: str, document: object) -> None:
    """What is the result as it stands: text for a person, the document itself for a program."""
    context = click.get_current_context(silent=True)
    if _document() is None or context is None:
        click.echo(written)
    else:
        context.meta[_WHOLE] = document


def marked(word: str, line: str) -> str:
    """The line behind its word (ok, FAIL, WARN), in colour where the terminal has it (`click` looks; NO_COLOR)."""
    return f"{click.style(f'{word:4}', fg=_COLOURS[word])}  {line}"


def _document() -> dict[str, Any] | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_DOCUMENT)


class Command(click.Command):
    """A command with --json, whose errors are told in plain words and end with a code of EXIT_CODES."""

    def __init__(self, *arguments: Any, plain_only: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not plain_only:
            told = "Print the result as one JSON document."
            self.params.append(click.Option(["--json"], is_flag=True, expose_value=False, callback=_wanted, help=told))

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; with --json what it says is kept and printed at its end, an error among it."""
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            ctx.color = False
        if (document := ctx.meta.get(_DOCUMENT)) is None:
            with faults.in_plain_words():
                return super().invoke(ctx)
        heard = io.StringIO()
        try:
            with contextlib.redirect_stdout(heard), faults.in_plain_words():
                return super().invoke(ctx)
        except click.ClickException as error:
            document["error"] = error.format_message()
            ctx.meta.pop(_WHOLE, None)
            raise
        finally:
            if lines := heard.getvalue().splitlines():
                document["told"] = lines
            click.echo(json.dumps(ctx.meta.get(_WHOLE, document), indent=2, ensure_ascii=False, default=str))


def _wanted(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        context.meta[_DOCUMENT] = {}


class Group(click.Group):
    """Commands that all tell their result in this way."""

    command_class = Command
    group_class = type


# What the shell is told; docs/commands.md has the table from here.
EXIT_CODES = {
    0: "done; of `check`, `models verify`: nothing is wrong. Warnings change no code",
    1: "not done, or what was looked at is wrong: the line behind `Error:`, or the lines `FAIL`, say what",
    2: "the command line itself is wrong: an unknown command or option, a missing argument, a file that is not there "
    "(but a folder of tenants, a private key or the record that is not there: 1)",
    3: "`serve`: no worker could start; the log says why",
}
