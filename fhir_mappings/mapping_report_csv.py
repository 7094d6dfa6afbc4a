"""The mapping report as a table for a spreadsheet: every count, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from fhir_mappings.mapping_report import Counted, MappingReport
from fhir_mappings.spreadsheet import harmless

_SECTIONS = ("coverage", "present", "unmapped", "units", "orders", "set_aside", "searches")


def as_csv(report: MappingReport) -> str:
    """Every count, one row each: section, up to three keys, count. Keys that a spreadsheet would run are quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "key1", "key2", "key3", "count"))
    writer.writerow(("patients", "read", "", "", report.patients))
    writer.writerow(("patients", "unreadable", "", "", report.unreadable_patients))
    for section in _SECTIONS:
        rows: Iterable[Counted] = getattr(report, section)
        for keys, count in rows:
            writer.writerow((section, *(harmless(key) for key in (*keys, "", "", "")[:3]), count))
    return out.getvalue()
