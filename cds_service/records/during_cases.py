"""The store of cases: what was recorded of each operation, each version once, within bounds, in the record.

What is kept was committed, so that a worker that dies afterwards loses nothing. The order in which versions come and
how often each comes changes nothing: a version stands once, by its digest.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import Connection, Engine, Row, Select, Table, case, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.records import database
from cds_service.records.during_tables import during_arrival, during_case, during_entry
from cds_service.records.tables import Instant
from fhir_mappings.during.case_content import CaseContent

Kind = Literal["observation", "times", "birth"]
# Of the bounds again, for withdrawals: a full case still learns that something should not be in it.
_RESERVE = 1.25
_ASKED_AT_ONCE = 500
_WHAT = "the cases of operations"


class CaseFullError(Exception):
    """The tenant has as many cases as it may; nothing was kept."""


class AnotherPatientError(Exception):
    """The encounter is known as another patient's; nothing was kept."""


class Part(Struct, frozen=True):
    """One version of one resource as it was read; `withdrawn`: it says that it should not be there."""

    kind: Kind
    body: str
    withdrawn: bool = False

    @property
    def digest(self) -> str:
        """What makes it the same as another."""
        return hashlib.sha256(f"{self.kind}\x00{self.body}".encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def size(self) -> int:
        """In bytes, as it is kept."""
        return len(self.body.encode("utf-8", "surrogatepass"))


class CaseBounds(Struct, frozen=True):
    """How many cases a tenant may have, and how much one may hold."""

    cases: int
    entries: int
    bytes: int


class CaseKey(Struct, frozen=True):
    """Whose case it is: one patient in one encounter ("" where none is named) of one tenant."""

    tenant_id: str
    patient_id: str
    encounter_id: str = ""


class Arrival(Struct, frozen=True):
    """By which way, from whom and when something came."""

    way: str
    issuer: str
    at: datetime


class KeptParts(Struct, frozen=True):
    """What became of what came: new, known already, or refused because the case is full."""

    case_id: str
    new: int
    repeated: int
    refused: int


class KeptCase(Struct, frozen=True):
    """One case without its content; `refused`: how many versions came when it was full."""

    id: str
    key: CaseKey
    first_at: datetime
    last_at: datetime
    entries: int
    refused: int


class DuringCases:
    """The cases of every tenant; raises DatabaseError where the record cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, key: CaseKey, parts: Sequence[Part], bounds: CaseBounds, arrival: Arrival) -> KeptParts:
        """Commit what is new of one case. Raises CaseFullError, AnotherPatientError; then nothing is kept."""
        return self.keep_all({key: parts}, bounds, arrival)[0]

    def keep_all(
        self, cases: Mapping[CaseKey, Sequence[Part]], bounds: CaseBounds, arrival: Arrival
    ) -> tuple[KeptParts, ...]:
        """Commit what is new of several cases, of all of them or of none. Raises as `keep` does.

        In one order, whatever theirs: two that hold each other's case would wait for each other.
        """
        with database.begun(self._engine, _WHAT) as connection:
            return tuple(_kept(connection, key, cases[key], bounds, arrival) for key in sorted(cases, key=astuple))

    def find(self, tenant_id: str, case_id: str) -> KeptCase | None:
        """A case of this tenant by its id."""
        return next(self._cases(during_case.c.tenant_id == tenant_id, during_case.c.id == case_id), None)

    def of_patient(self, tenant_id: str, patient_id: str, *, most: int = 20) -> tuple[KeptCase, ...]:
        """The cases of one patient, the last one first."""
        own = (during_case.c.tenant_id == tenant_id, during_case.c.patient_id == patient_id)
        return tuple(self._cases(*own, most=most))

    def of_tenant(self, tenant_id: str, *, most: int = 50) -> tuple[KeptCase, ...]:
        """The last cases of a tenant, the last one first."""
        return tuple(self._cases(during_case.c.tenant_id == tenant_id, most=most))

    def content(self, one: KeptCase) -> CaseContent:
        """All that a case holds, with what was recorded of its patient without an encounter.

        Of a case with an encounter its own times alone count: what names no encounter may be of another stay.
        """
        with database.begun(self._engine, _WHAT) as connection:
            own = _entries(connection, one.id)
            loose = _unplaced(connection, one.key) if one.key.encounter_id else None
            other = _entries(connection, loose[0]) if loose is not None else CaseContent((), ())
        observations = tuple(sorted({*own.observations, *other.observations}))
        births = tuple(sorted({*own.births, *other.births}))
        refused = one.refused + (loose[1] if loose is not None else 0)
        return CaseContent(observations, own.times, births, refused)

    def _cases(self, *conditions: Any, most: int = 1) -> Iterator[KeptCase]:
        asked = select(during_case).where(*conditions).order_by(during_case.c.last_at.desc()).limit(most)
        with database.begun(self._engine, _WHAT) as connection:
            found = connection.execute(asked).all()
        return map(_case, found)


def _kept(
    connection: Connection, key: CaseKey, parts: Sequence[Part], bounds: CaseBounds, arrival: Arrival
) -> KeptParts:
    by_digest = {part.digest: part for part in parts}
    held = _locked(connection, key, bounds, arrival.at)
    known = _known(connection, held.id, list(by_digest))
    new = {digest: part for digest, part in by_digest.items() if digest not in known}
    fitting = _fitting(new, held, bounds)
    kept = KeptParts(held.id, len(fitting), len(parts) - len(new), len(new) - len(fitting))
    _insert(connection, held.id, fitting)
    _count(connection, held.id, fitting, kept)
    _account(connection, arrival, kept)
    return kept


def purge_cases(connection: Connection, tenant_id: str, oldest: datetime) -> int:
    """Delete the cases of which nothing came since `oldest`, with all they hold; returns how many."""
    is_old = (during_case.c.tenant_id == tenant_id, during_case.c.last_at < oldest)
    of_old = select(during_case.c.id).where(*is_old)
    for table in (during_entry, during_arrival):
        connection.execute(delete(table).where(table.c.case_id.in_(of_old)))
    return connection.execute(delete(during_case).where(*is_old)).rowcount


def _case(row: Row[Any]) -> KeptCase:
    key = CaseKey(row.tenant_id, row.patient_id, row.encounter_id)
    return KeptCase(row.id, key, row.first_at, row.last_at, row.entries, row.refused)


def _locked(connection: Connection, key: CaseKey, bounds: CaseBounds, now: datetime) -> Row[Any]:
    """The row of the case, made if it is not there; nobody else changes it before this is committed."""
    made = _into(connection, during_case).on_conflict_do_nothing()
    row = {"id": str(uuid.uuid4()), "first_at": now, "last_at": now, "entries": 0, "bytes": 0, "refused": 0}
    named = {"tenant_id": key.tenant_id, "patient_id": key.patient_id, "encounter_id": key.encounter_id}
    own = during_case.c.tenant_id == key.tenant_id
    if connection.execute(made.returning(during_case.c.id), row | named).first() is not None:
        count = select(func.count()).select_from(during_case).where(own)
        if connection.execute(count).scalar_one() > bounds.cases:
            raise CaseFullError
        if key.encounter_id and _of_another(connection, key):
            raise AnotherPatientError
    it = (own, during_case.c.patient_id == key.patient_id, during_case.c.encounter_id == key.encounter_id)
    latest = case((during_case.c.last_at < now, literal(now, Instant())), else_=during_case.c.last_at)
    return connection.execute(update(during_case).where(*it).values(last_at=latest).returning(during_case)).one()


def _into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _of_another(connection: Connection, key: CaseKey) -> bool:
    cases = during_case.c
    same = (cases.tenant_id == key.tenant_id, cases.encounter_id == key.encounter_id)
    return connection.execute(select(cases.id).where(*same, cases.patient_id != key.patient_id)).first() is not None


def _known(connection: Connection, case_id: str, digests: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(digests), _ASKED_AT_ONCE):
        asked: Select[tuple[str]] = select(during_entry.c.digest).where(
            during_entry.c.case_id == case_id, during_entry.c.digest.in_(digests[start : start + _ASKED_AT_ONCE])
        )
        found.update(row.digest for row in connection.execute(asked))
    return found


def _fitting(new: dict[str, Part], row: Row[Any], bounds: CaseBounds) -> dict[str, Part]:
    fitting: dict[str, Part] = {}
    entries, held = row.entries, row.bytes
    for digest, part in new.items():
        room = _RESERVE if part.withdrawn else 1.0
        if entries < bounds.entries * room and held + part.size <= bounds.bytes * room:
            fitting[digest] = part
            entries, held = entries + 1, held + part.size
    return fitting


def _insert(connection: Connection, case_id: str, parts: dict[str, Part]) -> None:
    rows = [
        {"case_id": case_id, "digest": digest, "kind": part.kind, "body": part.body} for digest, part in parts.items()
    ]
    if rows:
        connection.execute(insert(during_entry), rows)


def _count(connection: Connection, case_id: str, parts: dict[str, Part], kept: KeptParts) -> None:
    cases = during_case.c
    more = {
        "entries": cases.entries + kept.new,
        "bytes": cases.bytes + sum(part.size for part in parts.values()),
        "refused": cases.refused + kept.refused,
    }
    connection.execute(update(during_case).where(cases.id == case_id).values(**more))


def _account(connection: Connection, arrival: Arrival, kept: KeptParts) -> None:
    made = _into(connection, during_arrival).values(
        case_id=kept.case_id,
        way=arrival.way,
        issuer=arrival.issuer,
        first_at=arrival.at,
        last_at=arrival.at,
        calls=1,
        kept=kept.new,
        refused=kept.refused,
    )
    columns = during_arrival.c
    more = {
        "last_at": made.excluded.last_at,
        "calls": columns.calls + 1,
        "kept": columns.kept + made.excluded.kept,
        "refused": columns.refused + made.excluded.refused,
    }
    connection.execute(made.on_conflict_do_update(index_elements=list(during_arrival.primary_key), set_=more))


def _entries(connection: Connection, case_id: str) -> CaseContent:
    asked = select(during_entry.c.kind, during_entry.c.body).where(during_entry.c.case_id == case_id)
    found: dict[str, list[str]] = {kind: [] for kind in get_args(Kind)}
    for row in connection.execute(asked):
        found[row.kind].append(row.body)
    observations, times, births = (tuple(sorted(found[kind])) for kind in get_args(Kind))
    return CaseContent(observations, times, births)


def _unplaced(connection: Connection, key: CaseKey) -> tuple[str, int] | None:
    """The id of what names no encounter, and how many versions of it did not fit."""
    cases = during_case.c
    same = (cases.tenant_id == key.tenant_id, cases.patient_id == key.patient_id, cases.encounter_id == "")
    row = connection.execute(select(cases.id, cases.refused).where(*same)).first()
    return None if row is None else (row.id, row.refused)
