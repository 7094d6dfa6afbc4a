"""`cds-service validate`: the validation report of one hospital from its own record, judged by its own gates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cds_service.commands import kept_record, output, proof
from cds_service.trust import private_files

if TYPE_CHECKING:
    from cds_service.tenants.tenant import Tenant
    from cds_service.validation.validation_report import ReportAsked, ValidationReport


@click.command("validate", cls=output.Command)
@click.argument("tenant_id")
@click.option("--since", type=click.DateTime(), required=True, help="Calls from this day on, UTC.")
@click.option("--until", type=click.DateTime(), default=None, help="Calls before this day, UTC (default: today).")
@click.option("--out", "out", type=click.Path(path_type=Path, file_okay=False), default=Path("validation"),
              show_default=True, help="Folder for the page, its tables and the sample.")  # fmt: skip
@click.option("--by", "done_by", required=True, help="Who makes it.")
@click.option("--cohorts", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="CSV of evaluation_id and any of race, ethnicity, language, payer; read, never kept.")  # fmt: skip
@click.option(
    "--lag-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days until an outcome is reported."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the sample for chart review.")
@click.option("--tenants", "folder", envvar="CDS_TENANTS", type=click.Path(path_type=Path), required=True)
@click.option("--models", "directory", envvar="CDS_MODELS", type=click.Path(path_type=Path), default=None)
@click.option("--class-b", is_flag=True, envvar="CDS_CLASS_B", help="The service tells Class B models too.")
@kept_record.option
def validate(  # noqa: PLR0913 — a command's options are its interface
    tenant_id: str,
    *,
    since: datetime,
    until: datetime | None,
    out: Path,
    done_by: str,
    cohorts: Path | None,
    lag_days: int,
    seed: int,
    folder: Path,
    directory: Path | None,
    class_b: bool,
    database_url: str,
) -> None:
    """Write the validation report of TENANT_ID: volume, silence, cards a week at every threshold, calibration, groups.

    The page holds no identifier; review-sample.csv holds the record's own. The record keeps that the report was made,
    by whom, and what its gates rest on: `mode set` looks there. Exit 0 whether or not the gates pass.
    """
    from cds_service.records import database, validation_reports  # noqa: PLC0415
    from cds_service.validation import chart_sample, evidence, validation_report  # noqa: PLC0415

    tenant = the_tenant(tenant_id, folder)
    now = datetime.now(UTC)
    window = _window(since, until, now, lag_days)
    output.say(f"database: {database.safe(database_url)}", database=database.safe(database_url))
    with kept_record.opened(database_url, connections=2) as engine:
        proof.refuse_unrecorded(engine, tenant_id)
        asked = _asked(engine, tenant, window, _Of(directory, class_b), _cohorts(cohorts))
        report, operations = validation_report.make(engine, asked)
        _tell_covered(cohorts, asked.cohorts, operations)
        found = validation_report.evidence_of(report)
        kept = evidence.encoded(found)
        sha256, gates = evidence.digest(kept), evidence.gates(found, tenant.validation)
        _write(out, report, gates, sha256)
        private_files.write(out / "evidence.json", kept)
        private_files.write(out / "review-sample.csv", chart_sample.as_csv(chart_sample.drawn(operations, seed=seed)))
        event = _event(tenant_id, done_by, now, passes=all(one.passes for one in gates))
        validation_reports.keep(engine, event, sha256=sha256, evidence=kept)
    _tell(report, gates, sha256, out)


def the_tenant(tenant_id: str, folder: Path) -> Tenant:
    """The tenant's file; click.ClickException where there is none."""
    from cds_service.tenants.tenant_files import load  # noqa: PLC0415

    found = next((one for one in load(folder) if one.id == tenant_id), None)
    if found is None:
        raise click.ClickException(f"no tenant {tenant_id!r} among {folder}")
    return found


def _window(since: datetime, until: datetime | None, now: datetime, lag_days: int) -> Any:
    from cds_service.validation.collected import Window  # noqa: PLC0415

    end = until or datetime(now.year, now.month, now.day, tzinfo=UTC)
    window = Window(since.replace(tzinfo=UTC), end.replace(tzinfo=UTC), now.date(), lag_days)
    if window.until > now + timedelta(days=1):
        raise click.BadParameter(
            "a day that is over, or today: the weeks after it had no calls yet", param_hint="--until"
        )
    if window.since >= window.until:
        raise click.ClickException("the window is empty: --since is not before --until")
    return window


class _Of(NamedTuple):
    """Which models the service tells."""

    directory: Path | None
    class_b: bool


def _asked(engine: Any, tenant: Tenant, window: Any, of: _Of, cohorts: Mapping[str, Mapping[str, str]]) -> ReportAsked:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from cds_service import tenant_advice  # noqa: PLC0415
    from cds_service.records import recalibrations  # noqa: PLC0415
    from cds_service.validation.threshold_counts import SpeechLimits  # noqa: PLC0415
    from cds_service.validation.validation_report import ReportAsked  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415

    return ReportAsked(
        tenant=tenant.id,
        window=window,
        zone=ZoneInfo(tenant.zone),
        limits=SpeechLimits(tenant_advice.floors(tenant), tenant.warning.rare, tenant.warning.common),
        models=registry.load(of.directory or registry.PACKAGE, class_b=of.class_b),
        recalibrations=recalibrations.in_force(engine).get(tenant.id, {}),
        cohorts=cohorts,
    )


def _cohorts(path: Path | None) -> dict[str, dict[str, str]]:
    """By evaluation what the file says."""
    from cds_service.validation import cohort_file  # noqa: PLC0415

    if path is None:
        return {}
    with path.open("rb") as file:
        content = file.read(cohort_file.MOST_BYTES + 1)
    try:
        return cohort_file.cohorts(content)
    except cohort_file.CohortFileError as error:
        raise click.ClickException(f"{path}: {error}") from error


def _tell_covered(path: Path | None, cohorts: Mapping[str, Mapping[str, str]], operations: Any) -> None:
    """How much of the window the file is about; one that is about nothing of it is another's."""
    from cds_service.validation import cohort_file  # noqa: PLC0415

    if path is None:
        return
    try:
        count = cohort_file.covered(cohorts, operations)
    except cohort_file.CohortFileError as error:
        raise click.ClickException(f"{path}: {error}") from error
    told = f"{path} says something of {count} of {len(operations)} operations"
    output.say(told, operations_in_groups=count)


def _write(out: Path, report: ValidationReport, gates: Any, sha256: str) -> None:
    from cds_service.validation import validation_csv, validation_page, validation_report  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    (out / "validation.json").write_bytes(validation_report.document(report))
    (out / "validation.html").write_text(validation_page.as_html(report, gates, sha256=sha256), encoding="utf-8")
    for name, content in validation_csv.files(report, gates).items():
        (out / name).write_bytes(content)


def _event(tenant_id: str, done_by: str, now: datetime, *, passes: bool) -> Any:
    from cds_service.records.rows import AdministrationEvent  # noqa: PLC0415

    return AdministrationEvent(
        happened_at=now,
        action="validation",
        tenant_id=tenant_id,
        scope="",
        value="gates pass" if passes else "gates refuse",
        done_by=done_by,
        reason="",
    )


def _tell(report: ValidationReport, gates: Any, sha256: str, out: Path) -> None:
    output.say(f"{report.operations} operations in {report.weeks} weeks", operations=report.operations)
    for one in gates:
        line = output.marked("ok" if one.passes else "FAIL", f"{one.name}: {one.found}; asked: {one.asked}")
        output.row("gates", line, {"name": one.name, "asked": one.asked, "found": one.found, "passes": one.passes})
    output.say(f"written: {out}/validation.html, its tables, and review-sample.csv (leads to patients)", out=str(out))
    output.say(f"sha256: {sha256}", sha256=sha256)
