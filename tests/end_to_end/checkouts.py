"""Checkouts of the versions to come: the same code, with a migration that adds, and one that takes away."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cds_service.records import database

ROOT = Path(__file__).parents[2]
PACKAGES = ("cds_service", "fhir_mappings", "models_onnx")
NEXT, AFTER = "9001", "9002"
EXPAND = f'''"""Adds, and takes nothing away."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, OLDEST_READER = "{NEXT}", "{database.REVISION}", "{database.REVISION}"


def upgrade() -> None:
    op.add_column("evaluation", sa.Column("added_later", sa.String(8), nullable=True))
    op.create_table("added_later", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("added_later")
    with op.batch_alter_table("evaluation") as table:
        table.drop_column("added_later")
'''
CONTRACT = f'''"""Takes a column away that older code reads."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, OLDEST_READER = "{AFTER}", "{NEXT}", "{NEXT}"


def upgrade() -> None:
    with op.batch_alter_table("evaluation") as table:
        table.drop_column("unmapped")


def downgrade() -> None:
    op.add_column("evaluation", sa.Column("unmapped", sa.Text(), nullable=True))
'''


def made(folder: Path) -> dict[str, Path]:
    """Checkouts of the two versions to come, below this folder."""
    found: dict[str, Path] = {}
    for revision, scripts in ((NEXT, {"9001_expand.py": EXPAND}), (AFTER, {"9002_contract.py": CONTRACT})):
        checkout = folder / f"version-{revision}"
        checkout.mkdir()
        before = found.get(NEXT, ROOT)
        for package in PACKAGES:
            shutil.copytree(before / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
        record = checkout / "cds_service" / "records"
        for name, text in scripts.items():
            (record / "migrations" / "versions" / name).write_text(text, encoding="utf-8")
        file = record / "database.py"
        code = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r'^REVISION = "\d+"', f'REVISION = "{revision}"', code, flags=re.M), encoding="utf-8")
        found[revision] = checkout
    return found


def of(checkout: Path) -> dict[str, str]:
    """Variables by which Python takes the packages of this checkout, wherever it is started."""
    return {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}


def run(checkout: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of one version on the database."""
    environment = {**os.environ, **of(checkout), "DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "cds_service.commands.cli", *words],
        env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=checkout,
    )  # fmt: skip
