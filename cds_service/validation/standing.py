"""Whether what was accepted at go-live still stands, asked by each worker before it tells anything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec

from cds_service.answer import Knowledge
from cds_service.operations import logs, metrics
from cds_service.operations.logs import OwnWords
from cds_service.records import time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.switches import Switches, SwitchReader
from cds_service.tenants.tenant import Tenant
from cds_service.validation import go_live, told_models

Find = Callable[[str, str], bytes | None]

_MOST_REPORTS = 1_000
_MOST_TOLD = 20
_FEW = 100
# Whoever asks whether this worker is ready gives up after a second (Kubernetes' default).
_READY_S = 0.3


class _Judged(msgspec.Struct, frozen=True):
    """What one tenant was judged by, and what came of it."""

    tenant: Tenant
    knowledge: Knowledge
    switches: Switches
    today: date
    marked: Switches
    why: tuple[str, ...]


class GoLiveWatch:
    """Judged again whenever anything that it rests on is another object; lives as long as its worker.

    A report is kept under its hash: only one that nobody has seen yet needs the database.
    """

    def __init__(
        self, find: Find, reader: SwitchReader, knowledge: Callable[[], Knowledge], today: Callable[[], date]
    ) -> None:
        """`find`: a tenant's report in the record, by its hash."""
        self._find, self._reader, self._knowledge, self._today = find, reader, knowledge, today
        self._reports: dict[tuple[str, str], bytes] = {}
        self._judged: dict[str, _Judged] = {}
        self._shown: set[str] = set()  # whose gauge says 0 or 1

    def marked(self, tenant: Tenant, switches: Switches) -> Switches:
        """The switches, with a mark on each rule of this tenant that is outdated. Raises DatabaseError."""
        if tenant.id not in self._shown:
            self._shown.add(tenant.id)
            metrics.validation_outdated.labels(tenant.id).set(0)
        if not tenant.is_production:
            return switches
        knowledge, today = self._knowledge(), self._today()
        known = self._judged.get(tenant.id)
        if (
            known is not None
            and known.tenant is tenant
            and known.knowledge is knowledge
            and known.switches is switches
            and known.today == today
        ):
            return known.marked
        return self._judge(tenant, knowledge, switches, today).marked

    def state(self, tenants: Sequence[Tenant]) -> dict[str, object]:
        """For /ready: the tenants that are answered as silent for it, each with the reasons.

        Where they are few each is looked at now; of many, each with its calls.
        """
        with time_limit.within(_READY_S):
            for tenant in tenants if len(tenants) <= _FEW else ():
                with contextlib.suppress(DatabaseError):
                    self.marked(tenant, self._reader.current())
        told = {name: one.why[:_MOST_TOLD] for name, one in sorted(self._judged.copy().items()) if one.why}
        return {"validationOutdated": dict(list(told.items())[:_MOST_TOLD])} if told else {}

    def _judge(self, tenant: Tenant, knowledge: Knowledge, switches: Switches, today: date) -> _Judged:
        told = told_models.told_to(
            tenant, knowledge.models, knowledge.added, knowledge.recalibrations.get(tenant.id, {})
        )
        found = go_live.outdated(
            tenant, switches, self._reader.accepted, lambda sha256: self._report(tenant.id, sha256),
            told=told, today=today,
        )  # fmt: skip
        why = tuple(dict.fromkeys(one for outdated in found for one in outdated.why))
        marked = (*switches, *(one.mark for one in found)) if found else switches
        judged = _Judged(tenant, knowledge, switches, today, marked, why)
        self._tell(tenant.id, self._judged.get(tenant.id), why)
        self._judged[tenant.id] = judged
        return judged

    def _report(self, tenant_id: str, sha256: str) -> bytes | None:
        kept = self._reports.get((tenant_id, sha256))
        if kept is None and (kept := self._find(tenant_id, sha256)) is not None:
            while len(self._reports) >= _MOST_REPORTS:
                self._reports.pop(next(iter(self._reports)), None)
            self._reports[tenant_id, sha256] = kept
        return kept

    def forget_others(self, tenants: Mapping[str, object]) -> None:
        """Keep nothing of tenants that are answered no more."""
        self._shown.intersection_update(tenants)
        for name in [one for one in self._judged.copy() if one not in tenants]:
            if self._judged.pop(name).why:
                metrics.validation_outdated.labels(name).set(0)

    @staticmethod
    def _tell(tenant_id: str, before: _Judged | None, why: tuple[str, ...]) -> None:
        if why == (before.why if before is not None else ()):
            return
        metrics.validation_outdated.labels(tenant_id).set(1 if why else 0)
        if why:
            logs.warn("validation-outdated", tenant=tenant_id, told=OwnWords("; ".join(why[:_MOST_TOLD])))
        else:
            logs.note("validation-stands", tenant=tenant_id)


def utc_today() -> date:
    """The day by which a window is too old."""
    return datetime.now(UTC).date()
