"""`python -m cds_service.commands.reference` writes docs/settings.md and docs/commands.md from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from cds_service.commands import output, settings_reference
from cds_service.commands.cli import main

DOCS = Path(__file__).parents[2] / "docs"
BEGINNING = """# Commands

Made from the code by `python -m cds_service.commands.reference`; a test holds the two equal. When to use which is
told in [operations.md](operations.md) and [integration.md](integration.md).

`--json` prints the result as one JSON document on standard output; where the command fails its member `error` says
why, beside the line on standard error. `serve` and `demo` stay until they are stopped, and `record export` writes CSV
or NDJSON, so they have none. Colour is used on a terminal only, and never where the variable `NO_COLOR` is set.

## Exit codes

| code | means |
|--|--|
"""
COMPLETION = """
## Completion

The shell completes commands and options once it has read the script that the command itself prints; nothing is
installed. In `~/.bashrc` (bash 4.4 or newer), in `~/.zshrc`, or in `~/.config/fish/completions/cds-service.fish`:

```sh
eval "$(_CDS_SERVICE_COMPLETE=bash_source cds-service)"
eval "$(_CDS_SERVICE_COMPLETE=zsh_source cds-service)"
_CDS_SERVICE_COMPLETE=fish_source cds-service | source
```
"""


def commands_page() -> str:
    """The page of every command with its arguments, options and variables."""
    codes = "\n".join(f"| {code} | {words} |" for code, words in output.EXIT_CODES.items())
    return BEGINNING + codes + "\n" + COMPLETION + "".join(_of(main, "cds-service"))


def _of(group: click.Group, above: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        words = f"{above} {name}"
        if isinstance(command, click.Group):
            yield from _of(command, words)
        else:
            yield f"\n## {words}\n\n{_text(command)}\n\n```text\n{_usage(command, words)}\n```\n{_options(command)}"


def _usage(command: click.Command, words: str) -> str:
    return " ".join([words, *command.collect_usage_pieces(click.Context(command))])


def _text(command: click.Command) -> str:
    paragraphs = (command.help or "").strip().split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)


def _options(command: click.Command) -> str:
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows = "".join(_row(one, command) for one in options)
    return f"\n| option | what it does | default |\n|--|--|--|\n{rows}" if rows else ""


def _row(option: click.Option, command: click.Command) -> str:
    context = click.Context(command)
    record = option.get_help_record(context)
    names = (record[0] if record else option.opts[0]).replace("|", "\\|")
    told = (option.help or "").replace("|", "/")
    variable = f" (`{option.envvar}`)" if isinstance(option.envvar, str) else ""
    default = option.get_default(context, call=False)
    kept = isinstance(default, str | int | Path) and default != "" and not option.is_flag
    shown = "required" if option.required else f"`{default}`" if kept else ""
    return f"| `{names}` | {told}{variable} | {shown} |\n"


PAGES = {"settings.md": settings_reference.page, "commands.md": commands_page}

if __name__ == "__main__":
    for file, made in PAGES.items():
        (DOCS / file).write_text(made(), encoding="utf-8")
