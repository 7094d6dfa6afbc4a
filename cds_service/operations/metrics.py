"""What is counted, across all workers, without any id: Prometheus reads it at /metrics."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from cds_service.operations import metric_files

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)

responses = Counter(
    "surgical_risk_responses_total", "Responses by endpoint and status.", ["tenant", "endpoint", "hook", "status"]
)
answers = Counter(
    "surgical_risk_answers_total",
    "Evaluations by decision (card, again, silence, profile, error) and reason.",
    ["tenant", "hook", "decision", "reason"],
)
orders = Counter(
    "surgical_risk_orders_total",
    "Surgical orders by code system and whether their code is in a procedure group (mapped, unmapped).",
    ["tenant", "system", "outcome"],
)
seconds = Histogram(
    "surgical_risk_response_seconds", "Seconds from the first byte to the answer.", ["endpoint"], buckets=_SECONDS
)
step_seconds = Histogram("surgical_risk_step_seconds", "Seconds of each step of an answer.", ["step"], buckets=_SECONDS)
refusals = Counter("surgical_risk_refused_callers_total", "Callers refused, by our own word for why.", ["reason"])
retries = Counter("surgical_risk_exact_retries_total", "Requests answered again from the retry cache.", ["tenant"])
feedback = Counter("surgical_risk_feedback_items_total", "Feedback items received.", ["tenant", "outcome"])
suggestions = Counter("surgical_risk_suggestions_total", "Suggestions accepted, by feedback.", ["tenant"])
rows = Counter(
    "surgical_risk_evaluation_rows_total",
    "Evaluation rows: written, lost (queue full, refused, killed), settled (a loss noted), retries of a batch.",
    ["what"],
)
state_free_bytes = Gauge(
    "surgical_risk_state_free_bytes",
    "What is left in the file system of the state directory.",
    multiprocess_mode="livemostrecent",
)
record_unwritten_seconds = Gauge(
    "surgical_risk_record_unwritten_seconds",
    "For how long no evaluation row could be written; 0 while they can.",
    multiprocess_mode="livemax",
)
model_loads = Counter(
    "surgical_risk_model_loads_total",
    "Models replaced in a running worker: loaded, or refused and the old ones kept.",
    ["result"],
)
tenant_loads = Counter(
    "surgical_risk_tenant_loads_total",
    "Changes of the tenant files in a running worker: loaded, or refused and the old ones kept.",
    ["result"],
)
tenants = Gauge("surgical_risk_tenants", "Tenants in force.", multiprocess_mode="livemostrecent")
validation_outdated = Gauge(
    "surgical_risk_validation_outdated",
    "1 where a tenant is answered as silent, for what was accepted when cards were switched on has changed.",
    ["tenant"],
    multiprocess_mode="livemax",
)
outbound_calls = Counter(
    "surgical_risk_outbound_calls_total",
    "Calls to other servers: answered, or in our own word why there was no answer.",
    ["tenant", "purpose", "result"],
)
open_circuits = Gauge(
    "surgical_risk_open_circuits",
    "Servers that failed again and again and are asked by a probe only.",
    ["tenant", "purpose"],
    multiprocess_mode="livesum",
)
unanswered = Counter(
    "surgical_risk_unanswered_requests_total",
    "Requests that no thread ever saw: busy (503), slow (408), long (431). Nobody knows whose, there is no row.",
    ["why"],
)
security = Counter("surgical_risk_security_events_total", "Requests refused for safety.", ["tenant", "kind"])
worker_timeouts = Counter(
    "surgical_risk_worker_timeouts_total", "Workers that the arbiter ended because they did not answer it any more."
)
unread_entries = Counter(
    "surgical_risk_unread_entries_total",
    "Entries of a patient's lists that were not understood, by prefetch key.",
    ["tenant", "list"],
)
keys_read = Gauge(
    "surgical_risk_jwks_success_timestamp_seconds",
    "When a client's keys were last had from its JWKS URL (seconds of the epoch).",
    ["tenant", "issuer"],
    multiprocess_mode="max",
)


# A rate knows nothing of a count that begins at 1: what wakes somebody begins at 0.
for _what in ("written", "lost"):
    rows.labels(_what)
for _why in ("busy", "slow", "long"):
    unanswered.labels(_why)
for _result in ("loaded", "refused"):
    model_loads.labels(_result)
    tenant_loads.labels(_result)


def prepare_orders(tenant: str, systems: Iterable[str]) -> None:
    """Begin every count of a tenant's orders, and that of another patient's data, at 0."""
    security.labels(tenant, "wrong-patient")
    for system in systems:
        for outcome in ("mapped", "unmapped"):
            orders.labels(tenant, system, outcome)


@lru_cache(maxsize=64)
def step(name: str) -> Histogram:
    """The histogram of one step of an answer."""
    return step_seconds.labels(name)


def count_rows(what: str, number: int) -> None:
    """Tell of evaluation rows as the record's writer does."""
    rows.labels(what).inc(number)


def count_call(tenant: str, purpose: str, result: str, circuits: int) -> None:
    """Tell of one call to another server, as a door does, and of how many servers are not asked any more."""
    outbound_calls.labels(tenant, purpose, result).inc()
    open_circuits.labels(tenant, purpose).set(circuits)


def count_keys(tenant: str, issuer: str, at: float) -> None:
    """Tell when a client's keys were had, as a key set does."""
    keys_read.labels(tenant, issuer).set(at)


def exposition() -> bytes:
    """All metrics as text; of every worker, living and dead, where they share a folder."""
    if (folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR")) is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    with metric_files.held(Path(folder), alone=False):
        return generate_latest(registry)


def forget_worker(pid: int) -> None:
    """A worker has ended: its gauges go, its counts stay, with those of all who ended before."""
    if (folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR")) is not None:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        metric_files.bury(Path(folder), pid)
