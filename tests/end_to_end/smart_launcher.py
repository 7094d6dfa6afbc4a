"""SMART launcher v2, run as it is from a folder of its sources, in front of a FHIR server of ours.

Nothing of it is kept in this repository. `make launcher LAUNCHER=folder` names the folder: its sources as of
github.com/smart-on-fhir/smart-launcher-v2 at 643743542543. Its own pages are not built: a launch here names everything
that they would ask for.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end import servers

COMMIT = "643743542543"
SOURCES = os.environ.get("LAUNCHER", "")
_INSTALL_S = 900
_NOT_SOURCES = ("node_modules", ".git", "build")
_FROM_THE_EHR, _PUBLIC_CLIENT, _PKCE_ALWAYS = 0, 0, 2  # src/isomorphic/codec.ts


def _installed(sources: Path) -> Path:
    """A copy with what it needs, made once: the sources stay as they are. Needs Node 20 and npm."""
    home = servers.BUILD / f"launcher-{zlib.crc32((sources / 'package-lock.json').read_bytes()):08x}"
    if not (home / ".installed").exists():
        shutil.copytree(sources, home, ignore=shutil.ignore_patterns(*_NOT_SOURCES), dirs_exist_ok=True)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=home, check=True, timeout=_INSTALL_S, stdout=subprocess.DEVNULL)
        (home / ".installed").touch()
    return home


@contextlib.contextmanager
def running(fhir: str, folder: Path) -> Iterator[str]:
    """Its address; below `/v/r4/fhir` it hands on to `fhir` what it is asked."""
    home, port = _installed(Path(SOURCES)), servers.free_port()
    command = [str(home / "node_modules" / ".bin" / "ts-node"), "--skipProject", "--transpile-only", "backend/index.ts"]
    settings = {"NODE_ENV": "production", "HOST": "127.0.0.1", "PORT": str(port), "SECRET": "of this test"}
    own = f"http://127.0.0.1:{port}"
    variables = {**settings, "FHIR_SERVER_R4": fhir}
    with servers.running(command, f"{own}/env.js", log=folder / "launcher.log", cwd=home, environment=variables):
        yield own


def launch(patient: str, provider: str) -> str:
    """What its first page makes of a choice: a launch from the EHR, nobody asked, by a public client with PKCE."""
    chosen = [_FROM_THE_EHR, patient, provider, "NONE", 1, 1, 0, *[""] * 7, _PUBLIC_CLIENT, _PKCE_ALWAYS, ""]
    return urlsafe_b64encode(json.dumps(chosen).encode()).decode().rstrip("=")
