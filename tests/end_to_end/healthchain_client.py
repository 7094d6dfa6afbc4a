"""HealthChain's sandbox client, in a virtual environment of its own: it wants its own FHIR library."""

from __future__ import annotations

import json
import subprocess
import venv
from functools import cache
from pathlib import Path
from typing import Any

from tests.end_to_end import servers

VERSION = "0.16.1"
_INSTALL_S = 600
_RUN_S = 60
_SEND = """
import json, sys
from healthchain.sandbox.requestconstructors import CdsRequestConstructor
from healthchain.sandbox.sandboxclient import SandboxClient

told = json.load(sys.stdin)
client = SandboxClient(url=told["url"], workflow=told["hook"])
client.requests.append(CdsRequestConstructor().construct_request(told["prefetch"], client.workflow, told["context"]))
json.dump(client.send_requests(), sys.stdout)
"""


@cache
def python() -> Path:
    """The interpreter of its environment, made once."""
    home = servers.BUILD / f"healthchain-{VERSION}"
    if not (home / ".installed").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [home / "bin" / "pip", "install", "--quiet", f"healthchain=={VERSION}"]
        subprocess.run(command, check=True, timeout=_INSTALL_S)
        (home / ".installed").touch()
    return home / "bin" / "python"


def send(url: str, hook: str, *, prefetch: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """What it hands on of the answer: nothing of one that is an error."""
    told = json.dumps({"url": url, "hook": hook, "prefetch": prefetch, "context": context})
    command = [str(python()), "-c", _SEND]
    done = subprocess.run(command, check=False, input=told, capture_output=True, text=True, timeout=_RUN_S)
    assert done.returncode == 0, done.stderr[-4000:]
    (answer,) = json.loads(done.stdout)
    found: dict[str, Any] = answer
    return found
