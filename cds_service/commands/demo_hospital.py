"""`cds-service demo-hospital`: a record to try validation and monitoring on, with nobody's data in it."""

from __future__ import annotations

from pathlib import Path

import click

from cds_service.commands import output

_SHOWN_EVERY = 1_000


@click.command("demo-hospital", cls=output.Command)
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new or empty folder.")
@click.option("--weeks", type=click.IntRange(1, 40), default=40, show_default=True, help="How many, from the first.")
def demo_hospital(*, into: Path, weeks: int) -> None:
    """Invent a hospital: 2,000 operations over 40 weeks, answered as they would have been, and what came of them.

    It takes about half a minute and writes tenants/, record.sqlite3, outcomes.csv (`record import-outcomes` loads it)
    and truth.csv, which holds what was drawn: of an invented hospital the true probabilities are known.
    """
    from cds_service.demo_hospital import hospital  # noqa: PLC0415 — it opens models, which no other command waits for

    try:
        built = hospital.build(into, progress=_progress, until_week=weeks)
    except OSError as error:
        raise click.ClickException(f"{into}: {error.strerror or error}") from error
    output.say(
        f"{built.operations} invented operations, {built.calls} calls, {built.feedback} answers to cards and"
        f" {built.outcomes} outcomes in {into}",
        operations=built.operations,
        calls=built.calls,
        feedback=built.feedback,
        outcomes=built.outcomes,
    )


def _progress(done: int, of: int) -> None:
    if done % _SHOWN_EVERY == 0 or done == of:
        click.echo(f"{done} of {of} calls answered", err=True)
