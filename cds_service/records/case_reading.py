"""What came of a case since it was last read: a page that renews itself does not read a whole operation each time."""

from __future__ import annotations

from collections.abc import Iterator, Set

from msgspec import Struct
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import KeptCase
from cds_service.records.during_tables import during_case, during_entry

_ASKED_AT_ONCE = 500
# With more than this to read, all of it is read: one statement over a case is cheaper than many over its parts.
_WHOLE_FROM = 2_000


class CaseStamp(Struct, frozen=True):
    """What changes whenever something of a case is kept or refused; `loose`: what names no encounter of its patient."""

    own: int
    loose: int
    refused: int


NEVER = CaseStamp(-1, -1, -1)


class ReadPart(Struct, frozen=True, gc=False):
    """One version of one resource as it is kept; `loose`: it names no encounter."""

    digest: bytes
    kind: str
    body: str
    loose: bool


class CaseNews(Struct, frozen=True):
    """What is there now and was not known; `anew`: something known is gone, so that `parts` are all there are."""

    stamp: CaseStamp
    parts: tuple[ReadPart, ...] = ()
    anew: bool = False


class CaseReading:
    """Reads cases piece by piece; raises DatabaseError where the record cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, one: KeptCase, stamp: CaseStamp, own: Set[bytes], loose: Set[bytes]) -> CaseNews:
        """What came since `stamp`; `own` and `loose`: digests of what is known of the case, and without encounter.

        The counts are read first: what is committed in between is read, and looked for once more the next time.
        """
        try:
            with self._engine.begin() as connection:
                other = _loose(connection, one)
                now = _stamp(connection, one, other)
                if now == stamp:
                    return CaseNews(now)
                ids = [(one.id, own, False)] + ([(other[0], loose, True)] if other else [])
                found = [_Compared(connection, case_id, known, is_loose) for case_id, known, is_loose in ids]
                anew = any(each.lacks for each in found) or (other is None and bool(loose))
                return CaseNews(now, tuple(part for each in found for part in each.parts(anew=anew)), anew)
        except SQLAlchemyError as error:
            raise DatabaseError("the cases of operations cannot be read") from error


class _Compared:
    """The digests of one case beside those that are known."""

    def __init__(self, connection: Connection, case_id: str, known: Set[bytes], loose: bool) -> None:
        self._connection, self._case_id, self._loose = connection, case_id, loose
        asked = select(during_entry.c.digest).where(during_entry.c.case_id == case_id)
        there = {bytes.fromhex(digest) for digest in connection.execute(asked).scalars()} if known else set()
        self.lacks = bool(known - there)
        self._new = [digest.hex() for digest in there - known] if known else None

    def parts(self, *, anew: bool) -> Iterator[ReadPart]:
        """What is not known, or with `anew` everything."""
        asked = select(during_entry.c.digest, during_entry.c.kind, during_entry.c.body).where(
            during_entry.c.case_id == self._case_id
        )
        if anew or self._new is None or len(self._new) > _WHOLE_FROM:
            new = None if anew or self._new is None else set(self._new)
            pages = [asked]
        else:
            new = None
            starts = range(0, len(self._new), _ASKED_AT_ONCE)
            pages = [asked.where(during_entry.c.digest.in_(self._new[at : at + _ASKED_AT_ONCE])) for at in starts]
        for page in pages:
            for row in self._connection.execute(page):
                if new is None or row.digest in new:
                    yield ReadPart(bytes.fromhex(row.digest), row.kind, row.body, self._loose)


def _stamp(connection: Connection, one: KeptCase, other: tuple[str, int, int] | None) -> CaseStamp:
    counts = select(during_case.c.entries, during_case.c.refused).where(during_case.c.id == one.id)
    row = connection.execute(counts).first()
    entries, refused = (row.entries, row.refused) if row is not None else (0, 0)
    return CaseStamp(entries, other[1] if other else 0, refused + (other[2] if other else 0))


def _loose(connection: Connection, one: KeptCase) -> tuple[str, int, int] | None:
    """Of what was recorded of the patient without an encounter: its id, how much it is, and how much did not fit."""
    key, cases = one.key, during_case.c
    if not key.encounter_id:
        return None
    same = (cases.tenant_id == key.tenant_id, cases.patient_id == key.patient_id, cases.encounter_id == "")
    row = connection.execute(select(cases.id, cases.entries, cases.refused).where(*same)).first()
    return None if row is None else (row.id, row.entries, row.refused)
