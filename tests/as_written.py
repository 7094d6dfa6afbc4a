"""A page of docs/ done as it is written: its files saved and its commands run in an empty folder; only ports differ."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from tests.end_to_end.servers import free_port, running

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`([\w./-]+\.(?:json|yaml))`")
_BIND = re.compile(r"--bind (127\.0\.0\.1:\d+)")
SERVE = "cds-service serve"


class Block(msgspec.Struct, frozen=True):
    """A fenced block: its language, its text, and for a file the last name told before it on its own line."""

    kind: str
    text: str
    file: str = ""


class Printed(msgspec.Struct, frozen=True):
    """What a block printed: on standard output, and on both."""

    output: str
    everything: str


def blocks(page: str) -> list[Block]:
    """The blocks of a page in their order."""
    found = []
    for match in _BLOCK.finditer(page):
        before = page[: match.start()].rstrip().rpartition("\n")[2]
        names = _NAME.findall(before) if match[1] in ("json", "yaml") else []
        found.append(Block(match[1], match[2], names[0] if names else ""))
    return found


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who has only this folder and the package."""
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder), **more}


def ran(script: str, *, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script run in a shell of its own in this folder; whether it failed is for the caller to see."""
    command = ["sh", "-ec", script]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


class Reader:
    """Somebody with terminals in one empty folder, who does what a page says from its top to its end."""

    def __init__(self, page: str, folder: Path) -> None:
        self.page = (ROOT / "docs" / page).read_text(encoding="utf-8")
        self.folder = folder
        self.printed: dict[str, Printed] = {}
        self.ports = {bind: f"127.0.0.1:{free_port()}" for bind in sorted(set(_BIND.findall(self.page)))}
        self.environment = environment(folder)

    def _here(self, text: str) -> str:
        for written, ours in self.ports.items():
            text = text.replace(written, ours)
        return text

    @contextmanager
    def follows(self) -> Iterator[None]:
        """Every block done; servers that the page starts run until the end."""
        with ExitStack() as servers:
            for block in blocks(self.page):
                if block.file:
                    (self.folder / block.file).write_text(self._here(block.text), encoding="utf-8")
                elif block.kind == "sh" and SERVE in block.text:
                    servers.enter_context(self._served(block.text))
                elif block.kind == "sh":
                    self.runs(block.text)
            yield

    @contextmanager
    def _served(self, text: str) -> Iterator[None]:
        (bind,) = _BIND.findall(text)
        state = self.folder / f"state-{bind.rpartition(':')[2]}"
        state.mkdir()
        command = ["sh", "-ec", self._here(text).replace(SERVE, f"exec {SERVE}")]
        served = {**self.environment, "CDS_STATE_DIRECTORY": str(state)}
        ready, log = f"http://{self.ports[bind]}/ready", state / "log"
        with running(command, ready, log=log, cwd=self.folder, environment=served):
            yield

    def runs(self, text: str, *, until: str = "", seconds: float = 10) -> Printed:
        """A block's commands in a shell of their own; again until it prints `until`."""
        script = self._here(text)
        end = time.monotonic() + seconds
        while True:
            done = ran(script, folder=self.folder, environment=self.environment)
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
            if until in done.stdout or time.monotonic() > end:
                break
            time.sleep(0.2)
        self.printed[text] = Printed(done.stdout, done.stdout + done.stderr)
        return self.printed[text]

    def told(self, words: str) -> Printed:
        """What the one block that holds these words printed."""
        (found,) = [printed for text, printed in self.printed.items() if words in text]
        return found
