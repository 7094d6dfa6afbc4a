"""Which answered calls were about one operation of one patient.

Calls say what was ordered, not what was done. Where the day of the operation is known (`operated_on`, from the file of
outcomes), it decides: one operation per patient and day. Else calls within `window` of each other are one operation
where they name the same procedure group or the same order; so order-select, order-sign, a changed order and an order
that was cancelled and made anew count once, and a fusion in January and its revision in June count twice.
The cases are agreed in tests/cds_service/follow_up/operation_cases.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

# No source: the time from the first look at an order to the operation differs by hospital. 30 days is the horizon of
# the outcomes, so that an operation and its complication stay together and a later revision stands alone.
WINDOW = timedelta(days=30)
# A call is told in UTC, the day of an operation in the hospital's own zone. Where nobody knows that zone: west of
# Greenwich a local day ends at most twelve hours into the next day of UTC, and a later call was made after it anywhere.
_LOCAL_DAY_ENDS = timedelta(days=1, hours=12)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One answered call. `operated_on`: the day of the operation where a file of outcomes gave it.

    `event_on`: the first day on which an outcome was recorded for this call; the operation was not after it.
    """

    evaluation_id: str
    at: datetime
    procedure_group: str
    patient_id: str | None = None
    order_reference: str | None = None
    operated_on: date | None = None
    event_on: date | None = None


class PlannedOperation(msgspec.Struct, frozen=True):
    """The calls about one operation, oldest first, and the day on which it was done, where that is known."""

    calls: tuple[Asked, ...]
    operated_on: date | None
    zone: ZoneInfo | None = None

    @property
    def last_before(self) -> Asked:
        """The call that stands for the operation: the last one before it was done."""
        if self.operated_on is None:
            return self.calls[-1]
        before = [call for call in self.calls if not _is_after(call.at, self.operated_on, self.zone)]
        return before[-1] if before else self.calls[0]

    @property
    def day(self) -> date:
        """The day of the operation, else of the last call about it (UTC)."""
        return self.operated_on or self.calls[-1].at.date()


def planned_operations(
    asked: Iterable[Asked], *, window: timedelta = WINDOW, zone: ZoneInfo | None = None
) -> tuple[PlannedOperation, ...]:
    """Every operation that the calls were about, by the time of its first call.

    A call without a patient stands alone: nobody can say whose it was. `zone`: the hospital's, in which the day of an
    operation ends; without it a call of the next local morning may pass for one before it, east of Greenwich.
    """
    opened = OpenOperations(window=window, zone=zone)
    for call in sorted(asked, key=lambda one: (one.at, one.evaluation_id)):
        opened.add(call)
    return tuple(sorted(opened.closed(), key=lambda one: (one.calls[0].at, one.calls[0].evaluation_id)))


class OpenOperations:
    """Operations while the calls about them come in the order of time; only those are held that one may still join.

    `later`: by patient and day of operation the last call that names that day, where such calls lie farther apart than
    the window; they are held until then.
    """

    def __init__(
        self,
        *,
        window: timedelta = WINDOW,
        zone: ZoneInfo | None = None,
        later: Mapping[tuple[str, date], datetime] | None = None,
    ) -> None:
        self._window, self._zone, self._later = window, zone, later or {}
        self._by_patient: dict[str, list[_Open]] = {}
        self._alone: list[_Open] = []

    def add(self, call: Asked) -> None:
        """The next call, not before any that was added."""
        opened = self._by_patient.setdefault(call.patient_id, []) if call.patient_id else self._alone
        of = (_same_day(opened, call) or _same_plan(opened, call, self._window)) if call.patient_id else None
        if of is None:
            of = _Open(self._zone)
            opened.append(of)
        of.add(call)

    def closed(self, before: datetime | None = None) -> Iterator[PlannedOperation]:
        """Let go, in no order, the operations that no call from that instant on can be about; None: all of them."""
        gone, self._alone = self._alone, []
        for patient_id, opened in list(self._by_patient.items()):
            held = [] if before is None else [one for one in opened if self._may_go_on(one, patient_id, before)]
            if len(held) < len(opened):
                gone += [one for one in opened if one not in held]
                self._by_patient[patient_id] = held
            if not held:
                del self._by_patient[patient_id]
        return (PlannedOperation(tuple(one.calls), one.operated_on, self._zone) for one in gone)

    def first_held(self) -> datetime | None:
        """The instant of the first call of all operations that are held."""
        return min((one.calls[0].at for opened in self._by_patient.values() for one in opened), default=None)

    def _may_go_on(self, of: _Open, patient_id: str, before: datetime) -> bool:
        if before - of.calls[-1].at <= self._window:
            return True
        later = None if of.operated_on is None else self._later.get((patient_id, of.operated_on))
        return later is not None and later >= before


class _Open:
    """An operation while its calls are being found."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone
        self.calls: list[Asked] = []
        self.operated_on: date | None = None
        self._event_on: date | None = None

    def add(self, call: Asked) -> None:
        self.calls.append(call)
        self.operated_on = self.operated_on or call.operated_on
        if call.event_on is not None:
            self._event_on = min(call.event_on, self._event_on or call.event_on)

    def is_done_before(self, call: Asked) -> bool:
        """Was this operation done, or followed by an outcome, before the call was made?"""
        done = self.operated_on or self._event_on
        return done is not None and _is_after(call.at, done, self._zone)

    def is_about_the_same(self, call: Asked) -> bool:
        return any(
            one.procedure_group == call.procedure_group
            or (call.order_reference is not None and one.order_reference == call.order_reference)
            for one in self.calls
        )


def _is_after(at: datetime, day: date, zone: ZoneInfo | None) -> bool:
    """Was this after that local day, or where the zone is not known, after it in every zone?"""
    if zone is not None:
        return at.astimezone(zone).date() > day
    return at.astimezone(UTC) >= datetime.combine(day, time(), UTC) + _LOCAL_DAY_ENDS


def _same_day(opened: list[_Open], call: Asked) -> _Open | None:
    if call.operated_on is None:
        return None
    return next((one for one in opened if one.operated_on == call.operated_on), None)


def _same_plan(opened: list[_Open], call: Asked, window: timedelta) -> _Open | None:
    """The latest operation that this call may still be about."""
    for one in reversed(opened):
        near = call.at - one.calls[-1].at <= window
        may_be = one.operated_on is None or call.operated_on is None
        if near and may_be and not one.is_done_before(call) and one.is_about_the_same(call):
            return one
    return None
