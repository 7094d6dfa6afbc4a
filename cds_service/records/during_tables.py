"""The tables of operations that run or have ended: a case, what was recorded of it, who sent it, what was missed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from cds_service.records.tables import Instant, metadata

# One case: what was recorded of one patient in one encounter; `encounter_id` "" where it names none.
during_case = Table(
    "during_case",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("patient_id", String(256), nullable=False),
    Column("encounter_id", String(256), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("refused", Integer, nullable=False),
    Index("ix_during_case_of", "tenant_id", "patient_id", "encounter_id", unique=True),
    Index("ix_during_case_encounter", "tenant_id", "encounter_id"),
)

# Whether a row holds no values: the few of a case that a call looks at (recent_cases.py).
NO_VALUE = text("kind <> 'observation'")

# One version of one Observation, Procedure or Encounter as it was read; the digest of it makes each stand once.
during_entry = Table(
    "during_entry",
    metadata,
    Column("case_id", String(36), ForeignKey("during_case.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_during_entry_times", "case_id", sqlite_where=NO_VALUE, postgresql_where=NO_VALUE),
)

# Who sent what of a case by which way: the account of it.
during_arrival = Table(
    "during_arrival",
    metadata,
    Column("case_id", String(36), ForeignKey("during_case.id", ondelete="CASCADE"), primary_key=True),
    Column("way", String(64), primary_key=True),
    Column("issuer", String(512), primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
)

# How far each Subscription of a tenant was taken, and how far what is searched was seen; nothing of any patient.
during_position = Table(
    "during_position",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("source", String(80), primary_key=True),
    Column("told", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("ahead", Text, nullable=False),
    Column("gaps", Text, nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("well_at", Instant, nullable=False),
    Column("heard_at", Instant, nullable=True),
    Column("ask_at", Instant, nullable=True),
    Column("asking_until", Instant, nullable=True),
)
