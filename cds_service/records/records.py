"""The record of one worker: evaluations behind the answer, feedback before it, and everything read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import database, feedback, ledger, lookups, recent, shown_cards, switches, time_limit, writer
from cds_service.records.allowances import Allowances
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import DuringCases
from cds_service.records.during_positions import DuringPositions
from cds_service.records.feedback import Sender
from cds_service.records.housekeeping import Housekeeping
from cds_service.records.rows import EvaluationRow, FeedbackItem, Shown
from cds_service.records.switches import Switches
from cds_service.records.used_tokens import UsedTokens
from cds_service.records.workers import Presence
from cds_service.records.write_trouble import GRACE_S, Told, WriteTrouble, to_nobody
from cds_service.tenants.tenant import Tenant
from cds_service.trust import time_ordered_id

# A client may ask another worker for what it was just told by one that writes it behind the answer.
READ_OWN_WRITES_S = 1.0
LOOK_AGAIN_S = 0.05
RECENT = timedelta(seconds=30)
# Whoever asks whether this worker is ready gives up after a second (Kubernetes' default).
READY_S = 0.5


class Records:
    """Opened once per worker, after the fork; closed in order it loses nothing."""

    def __init__(
        self,
        url: str,
        *,
        folder: Path,
        connections: int,
        counted: writer.Counted,
        troubled: Told = to_nobody,
        grace_s: float = GRACE_S,
    ) -> None:
        """`folder` holds the worker's ledger and must outlive a killed process; `counted` is told of every row.

        `troubled` is told when rows cannot be written; after `grace_s` of it `unwritten` says so.
        """
        patience = time_limit.OF_A_SERVICE
        self.durable = database.connect(url, durable=True, connections=connections, patience=patience)
        self.quick = database.connect(url, durable=False, connections=connections, patience=patience)
        for lost in ledger.lost_by_the_dead(folder):
            if lost:
                writer.count_loss(self.durable, lost, "killed")
                counted("lost", lost)
        self._ledger = ledger.Ledger(folder)
        self._recent = recent.Recent()
        trouble = WriteTrouble(troubled, grace_s)
        self._writer = writer.Writer(self.quick, self._ledger, counted=counted, trouble=trouble)
        self.used_tokens = UsedTokens(self.quick)
        self._answers, self._said_first = lookups.answers(self.quick), shown_cards.said_first(self.quick)
        self.switches = switches.SwitchReader(self.quick)
        # Puts the marks of what is no longer as it was accepted among them (validation/standing.py).
        self.marked: Callable[[Tenant, Switches], Switches] = _unmarked
        self.allowances = Allowances(self.quick)
        self.during_cases = DuringCases(self.durable)
        self.during_positions = DuringPositions(self.durable)
        self._housekeeping = Housekeeping(
            self.used_tokens.forget_expired, lambda now: shown_cards.forget_expired(self.quick, now)
        )
        self._presence = Presence(self.quick, self.switches)
        self._oldest = database.SERVES_FROM

    def serves(self, tenants: Sequence[str], files: str | None, oldest: str = database.SERVES_FROM) -> None:
        """Say whom this worker answers now, the digest of their files, and the oldest schema that serves them."""
        self._oldest = oldest
        self._presence.serves(tenants, files)

    def watch(self) -> None:
        """Tell the record from now on that this worker uses it, and which switches and tenants it holds."""
        self._presence.start()

    def write_evaluation(self, row: EvaluationRow) -> None:
        """Keep an evaluation, behind the answer: never waits, never fails; what is lost is counted."""
        self._recent.keep(row)
        self._writer.put(row)

    def store_feedback(self, items: Sequence[FeedbackItem], sender: Sender, *, received_at: datetime) -> int:
        """Commit feedback; returns how many items were new. Raises DatabaseError if it is not committed."""
        return feedback.store(self.durable, items, sender, received_at=received_at)

    def evaluation(self, evaluation_id: str) -> EvaluationRow | None:
        """One evaluation by its id; one that is still being written, by whichever worker, is waited for."""
        until = time.monotonic() + READ_OWN_WRITES_S
        found = lookups.evaluation(self.quick, evaluation_id)
        if found is None:
            self._writer.flush(READ_OWN_WRITES_S)
            found = lookups.evaluation(self.quick, evaluation_id)
        while found is None and _is_recent(evaluation_id) and time.monotonic() < until:
            time.sleep(LOOK_AGAIN_S)
            found = lookups.evaluation(self.quick, evaluation_id)
        return found

    def last_shown(self, tenant_id: str, dedupe_key: str, *, since: datetime) -> Shown | None:
        """The card of this key shown to this tenant since then (DEC-42). Raises DatabaseError if nobody can tell.

        What this worker showed and has not written yet counts; of another worker's it is behind by a tenth of a second.
        """
        try:
            uuid = self._recent.find(tenant_id, dedupe_key, since)
            uuid = uuid or lookups.last_shown(self.quick, tenant_id, dedupe_key, since=since)
            return None if uuid is None else Shown(uuid, lookups.is_answered(self._answers, tenant_id, uuid))
        except SQLAlchemyError as error:
            raise DatabaseError("cards shown before could not be read") from error

    def first_uuid(self, tenant_id: str, same: str, card_uuid: str, *, now: float, keep_s: float) -> str:
        """The uuid of the first card that is the same, on whichever node it was made. Raises DatabaseError."""
        return shown_cards.first_uuid(self._said_first, tenant_id, same, card_uuid, now=now, keep_s=keep_s)

    def unready(self) -> str | None:
        """Why the database cannot be used now: it does not answer, or is not at this version's schema; else None."""
        with time_limit.within(READY_S):
            return database.unlike(self.quick, self._oldest)

    def unwritten(self) -> str | None:
        """Why no account can be kept of another answer: a full queue, or a database that takes no rows; else None."""
        return self._writer.unwritten()

    def uncounted(self) -> str | None:
        """Why rows that die with this worker would not be counted; None where they would."""
        return None if self._ledger.outlives else "no file had room for what is lost when this worker is killed"

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was taken so far is written."""
        return self._writer.flush(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what is queued and let go of the database. What cannot be written is counted by the next start."""
        self._housekeeping.close()
        self._presence.close()
        self._writer.close(timeout_s)
        if self._ledger.open == 0:
            self._ledger.close()
        self.quick.dispose()
        self.durable.dispose()


def _unmarked(_tenant: Tenant, switches: Switches) -> Switches:
    return switches


def _is_recent(evaluation_id: str) -> bool:
    drawn = time_ordered_id.instant(evaluation_id)
    return drawn is not None and abs(datetime.now(UTC) - drawn) < RECENT
