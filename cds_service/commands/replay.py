"""`cds-service replay`: past orders answered again, each as of its instant, and what would have been shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands import output

if TYPE_CHECKING:
    from cds_service.replay.processes import Done

_FOUND = {"card": "cards", "silence": "silent", "error": "failed"}
_UNTOLD = "patients"


@click.command("replay", cls=output.Command)
@click.argument("export", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--tenant-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The tenant's file: its maps, units and site folder count as in the service (default: the demo's).",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, exists=True),
    default=None,
    envvar="CDS_MODELS",
    help="Folder of models (default: those of the package).",
)
@click.option(
    "--site-models",
    type=click.Path(path_type=Path, exists=True),
    default=None,
    envvar="CDS_SITE_MODELS",
    help="Folder of the site's own models.",
)
@click.option("--class-b", is_flag=True, envvar="CDS_CLASS_B", help="Serve Class B models too, as the service does.")
@click.option(
    "--procedures",
    "procedures_too",
    is_flag=True,
    help="Operations that were done stand for their orders, where the export has none.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("replay.ndjson"),
    show_default=True,
    help="The rows, one a line.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path("replay-work"),
    show_default=True,
    help="A folder for what is half done: the same command goes on from there. It holds patients' data.",
)
@click.option("--processes", type=click.IntRange(1, 256), default=None, help="How many (default: one a processor).")
def replay(  # noqa: PLR0913 — one argument for each option
    export: Path,
    *,
    tenant_file: Path | None,
    models: Path | None,
    site_models: Path | None,
    class_b: bool,
    procedures_too: bool,
    out: Path,
    work: Path,
    processes: int | None,
) -> None:
    """Answer the orders of EXPORT again, by the functions that answer live, as of the instant of each.

    EXPORT is a folder of Bulk Data NDJSON or of Bundles, or one such file. Nothing that became known later is read.
    The rows name patients: keep them as you keep the record. Exit code 1 where an order could not be answered or a
    part of the data is broken.
    """
    from cds_service.replay import processes as on_this_machine  # noqa: PLC0415 — no other command waits for models
    from cds_service.replay.opened import NamedOpening  # noqa: PLC0415

    named = NamedOpening(tenant_file, models, site_models, class_b, procedures_too)
    many = processes or on_this_machine.default_processes()
    try:
        done = on_this_machine.run(export, out, work, named, processes=many, progress=_progress)
    except on_this_machine.OtherReplayError as error:
        raise click.ClickException(str(error)) from error
    _tell(done, export, out)


def _progress(what: str, done: int, of: int) -> None:
    ending = "\n" if done == of else "\r"
    sys.stderr.write(f"{what} {done} of {of}{ending}")
    sys.stderr.flush()


def _tell(done: Done, export: Path, out: Path) -> None:
    counts, rows, sha256 = done.counts, done.rows, done.sha256
    found = ", ".join(f"{counts.get(key, 0)} {word}" for key, word in _FOUND.items())
    line = f"{counts.get(_UNTOLD, 0)} patients, {rows} rows ({found}): {out}, sha256 {sha256}"
    output.say(line, rows=rows, out=str(out), sha256=sha256, counts=counts, provided=done.provided)
    for name, number in counts.items():
        if name not in (*_FOUND, _UNTOLD):
            output.row("beside", f"{number:>12,}  {name}", {"what": name, "number": number})
    broken = sum(number for name, number in counts.items() if name.startswith("lost "))
    if failed := counts.get("error", 0):
        raise click.ClickException(f"{failed} orders could not be answered: their rows have `decision` error")
    if not counts.get(_UNTOLD, 0):
        raise click.ClickException("no patient is in the export: Bulk Data NDJSON or Bundles are read")
    if broken:
        from fhir_mappings.report.bulk_files import first_places  # noqa: PLC0415

        raise click.ClickException(f"{broken} parts of the export could not be read:{first_places(export)}")
