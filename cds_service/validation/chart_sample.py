"""Twenty operations to be read beside their charts, drawn by a seed, so that nobody chose them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence

from cds_service.validation.collected import ValidatedOperation

SIZE = 20
COLUMNS = ("evaluation_id", "asked_at", "procedure_group", "band", "indicator", "reason", "outcome", "probability")


def drawn(operations: Sequence[ValidatedOperation], *, seed: int) -> tuple[ValidatedOperation, ...]:
    """So many of them, or all where there are fewer, in the order in which they were asked about.

    The same operations and seed give the same sample, in whatever order they come.
    """
    among = sorted(operations, key=lambda one: one.evaluation_id)
    found = random.Random(seed).sample(among, min(SIZE, len(among)))  # noqa: S311 — a sample, no secret
    return tuple(sorted(found, key=lambda one: (one.asked_at, one.evaluation_id)))


def as_csv(sample: Sequence[ValidatedOperation]) -> bytes:
    """A row for each told figure: what was said. What happened is for whoever reads the chart to find.

    Ids are the record's own: who may read the record finds the patient by them (`record export`).
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in sample:
        shared = (one.evaluation_id, one.asked_at.isoformat(), one.procedure_group, one.band, one.indicator, one.reason)
        told = [(name, said.probability) for name, said in one.told.items()] or [("", None)]
        for outcome, probability in told:
            writer.writerow(["" if cell is None else cell for cell in (*shared, outcome, probability)])
    return out.getvalue().encode()
