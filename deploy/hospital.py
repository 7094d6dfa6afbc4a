"""From a silent phase to cards, on an invented hospital: every command as a hospital would type it (`make hospital`).

It invents the hospital, reads its outcomes, writes its report and monitoring page, and tries to go live: refused as
the model is; refused on the weeks that it was recalibrated on; accepted on later ones, once a second person signed
their report. Nothing in it is real.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

TENANT, MODEL = "demo-hospital", "elective-complication"
FIRST = ("--by", "A. Jones", "--reason", "silent phase", "--force")
SECOND = ("--by", "Dr. B. Smith", "--reason", "looked at the figures", "--force")
GO_LIVE = ("mode", "set", TENANT, "on", *FIRST, "--approved-by", "Dr. B. Smith")
# The last of these are operated on four weeks after they are asked about, so the weeks that judge them start later.
FITTED = ("--since", "2025-09-01", "--until", "2026-01-26")
OTHERS = ("--since", "2026-02-16", "--until", "2026-06-08")
# Sixteen weeks of 50 operations, long ago, some under an unmapped code: a real hospital would wait for more.
WIDER = (
    "validation: {days: 3650, mapped: 0.9, events: {any-complication: 50},"
    " approved_by: Dr. B. Smith, date: 2026-11-01}\n"
)
_LAST = "2026-06-08"  # as the hospital was invented
_HASH = re.compile(r"^sha256: ([0-9a-f]{64})$", re.MULTILINE)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Hospital:
    """The folder of the invented hospital, and the commands that were run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        here = {"CDS_TENANTS": str(folder / "tenants"), "DATABASE_URL": f"sqlite:///{folder / 'record.sqlite3'}"}
        self._environment = {**os.environ, **here}

    def run(self, *words: str, expected: int = 0) -> str:
        """Run one command, show it with what it says; SystemExit where it ends otherwise than expected."""
        _say(f"\n$ cds-service {shlex.join(words)}")
        command = [sys.executable, "-m", "cds_service.commands.cli", *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        _say((done.stdout + done.stderr).strip())
        if done.returncode != expected:
            raise SystemExit(f"it ended with {done.returncode}, not {expected}")
        return done.stdout

    def validate(self, *days: str) -> str:
        """Write the report of these days; its hash."""
        out = str(self.folder / "report")
        told = self.run("validate", TENANT, *days, "--out", out, "--by", "A. Jones")
        found = _HASH.search(told)
        if found is None:
            raise SystemExit("the report has no hash")
        return found[1]

    def widen(self) -> None:
        """Write into the tenant's file which gates are wider here, and who answers for them."""
        file = self.folder / "tenants" / f"{TENANT}.yaml"
        file.write_text(file.read_text(encoding="utf-8") + WIDER, encoding="utf-8")
        _say(f"\nDr. B. Smith approves fewer events, unmapped codes and an old window in {file}")

    def sign(self, sha256: str) -> None:
        """Write into the tenant's file that a second person approved this report."""
        file = self.folder / "tenants" / f"{TENANT}.yaml"
        kept = file.read_text(encoding="utf-8").partition("local_validation:")[0]
        today = datetime.now(UTC).date()
        line = f"local_validation: {{report: R, sha256: {sha256}, approved_by: Dr. B. Smith, date: {today}}}\n"
        file.write_text(kept + line, encoding="utf-8")
        _say(f"\nDr. B. Smith signs report {sha256[:12]}… in {file}")


def main(folder: Path) -> None:
    """The whole way; the folder is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    hospital = Hospital(folder)
    hospital.run("demo-hospital", "--into", str(folder))
    outcomes = str(folder / "outcomes.csv")
    hospital.run("record", "import-outcomes", TENANT, outcomes, "--source", "registry", *FIRST)
    hospital.run("monitor", "--out", str(folder / "monitoring"), "--until", _LAST)
    hospital.widen()
    hospital.sign(hospital.validate(*FITTED))
    hospital.run(*GO_LIVE, expected=1)
    hospital.run("recalibrate", "fit", TENANT, MODEL, *FITTED, *FIRST)
    hospital.run("recalibrate", "approve", TENANT, MODEL, "1", *SECOND)
    hospital.sign(hospital.validate(*FITTED))
    hospital.run(*GO_LIVE, expected=1)
    hospital.sign(hospital.validate(*OTHERS))
    hospital.run(*GO_LIVE)
    _say(f"\nLook at {folder}/report/validation.html and {folder}/monitoring/")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".build/hospital").resolve())
