"""The stack of compose.yaml without a container engine: its services as processes on 127.0.0.1, from the same files.

Needs what Debian calls postgresql, pgbouncer, nginx-light, prometheus and openssl, and the service's own environment:
`.venv/bin/python deploy/local.py`. Ctrl-C ends it; with --folder the record, the metrics and the logs stay.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parent
# By which service of compose.yaml each port goes; the first five are asked for by name, nginx's two by its file.
PORTS = {
    "postgres": 5432,
    "pgbouncer": 6432,
    "surgical-risk": 8000,
    "ehr": 8090,
    "prometheus": 9090,
    "plain": 80,
    "tls": 443,
}
NAMED = ("postgres", "pgbouncer", "surgical-risk", "ehr", "prometheus")
ORDER = ("postgres", "pgbouncer", "migrate", "surgical-risk", "nginx", "prometheus", "ehr")
NOT_HERE = ("grafana", "purge")  # Grafana is not in Debian; purge runs once a day
SERVER_OWNER = "postgres"  # PostgreSQL and PgBouncer refuse to be root
TAIL_BYTES = 3_000
START_S = 90.0


class StackError(Exception):
    """A service did not start; the message has the end of its log."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_server() -> list[str]:
    """What stands before the command of a server that refuses to be root."""
    return ["runuser", "-u", SERVER_OWNER, "--"] if os.geteuid() == 0 else []


def of_postgres(program: str) -> str:
    """A program of the newest PostgreSQL that is installed, as Debian lays it out."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda one: int(one.parts[4]))
    return str(found[-1]) if found else program


class Stack:
    """The services of compose.yaml, their files with addresses and paths of this machine, and what runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"
        self.compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
        self.services: dict[str, Any] = self.compose["services"]
        self.ports = {name: free_port() for name in PORTS}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        subprocess.run(["sh", str(DEPLOY / "compose/prepare.sh"), str(self.state)], check=True, capture_output=True)
        self.state.chmod(0o755)

    def url(self, name: str, scheme: str = "http") -> str:
        """Where a service listens here."""
        return f"{scheme}://127.0.0.1:{self.ports[name]}"

    def here(self, text: str, service: str) -> str:
        """A text of compose.yaml, or of a file that it mounts, with the addresses and paths of this machine."""
        words = {"scrape_interval: 15s": "scrape_interval: 2s", "evaluation_interval: 15s": "evaluation_interval: 2s"}
        words |= {"unix_socket_dir =": f"unix_socket_dir = {self.folder}"} | self._paths(service)
        for name in NAMED:
            inside, local = PORTS[name], str(self.ports[name])
            words |= {f"{name}:{inside}": f"127.0.0.1:{local}", f"0.0.0.0:{inside}": f"127.0.0.1:{local}"}
            words |= {f"host={name} port={inside}": f"host=127.0.0.1 port={local}"}
            words |= {
                f"listen_port = {inside}": f"listen_port = {local}",
                "listen_addr = 0.0.0.0": "listen_addr = 127.0.0.1",
            }
        if service == "nginx":
            words |= {
                "127.0.0.1:8000": f"127.0.0.1:{self.ports['surgical-risk']}",
                "/run/nginx.pid": f"{self.folder}/nginx.pid",
            }
            words |= {"listen 80;": f"listen 127.0.0.1:{self.ports['plain']};"}
            words |= {"listen 443 ssl;": f"listen 127.0.0.1:{self.ports['tls']} ssl;"}
        longest = sorted(words, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest)), lambda one: words[one[0]], text)

    def _paths(self, service: str) -> dict[str, str]:
        """Paths in the container and here."""
        found = {f"/run/secrets/{name}": str(self.state / "here" / name) for name in self.compose["secrets"]}
        for volume in self.services[service].get("volumes", ()):
            inside = volume.split(":")[1]
            found[inside] = str(self.folder / service / inside.strip("/"))
        return found

    def lay_out(self, service: str) -> None:
        """Put what the service mounts where it finds it here, and the secrets beside."""
        (self.state / "here").mkdir(exist_ok=True)
        for name in self.compose["secrets"]:
            secret = self.here((self.state / name).read_text(encoding="utf-8"), service)
            (self.state / "here" / name).write_text(secret, encoding="utf-8")
        for volume in self.services[service].get("volumes", ()):
            source, inside = volume.split(":")[:2]
            target = self.folder / service / inside.strip("/")
            if not source.startswith("."):
                target.mkdir(parents=True, exist_ok=True)
                continue
            found = self.state / "tls" if source.endswith("/state/tls") else DEPLOY / source
            for file in [found] if found.is_file() else [one for one in found.rglob("*") if one.is_file()]:
                copy = target / file.relative_to(found) if found.is_dir() else target
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(self.here(file.read_text(encoding="utf-8"), service), encoding="utf-8")

    def command(self, service: str) -> list[str]:
        """The command of compose.yaml as this machine has its program."""
        given = [self.here(str(word), service) for word in self.services[service].get("command", ())]
        if service == "postgres":
            data = self._paths(service)["/var/lib/postgresql/data"]
            places = ["-D", data, "-p", str(self.ports["postgres"]), "-h", "127.0.0.1", "-k", data]
            return [*as_server(), of_postgres("postgres"), *places, *given[1:]]
        if service == "prometheus":
            return ["prometheus", *given, f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}"]
        if service == "nginx":
            file = self._paths(service)["/etc/nginx/nginx.conf"]
            return ["nginx", "-p", str(self.folder), "-c", file, "-e", "stderr", "-g", "daemon off;"]
        programs = {
            "pgbouncer": [*as_server(), "pgbouncer"],
            "cds-service": [sys.executable, "-m", "cds_service.commands.cli"],
            "python": [sys.executable],
        }
        return [*programs[given[0]], *given[1:]]

    def environment(self, service: str) -> dict[str, str]:
        """That of this process, with what compose.yaml says of the service and nothing of another of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CDS_", "DATABASE_URL"))}
        given = self.services[service].get("environment", {})
        return (
            kept
            | {"PYTHONPATH": str(DEPLOY.parent)}
            | {name: self.here(str(one), service) for name, one in given.items()}
        )

    def start(self, service: str) -> None:
        """Start one service and wait until it does what the next one needs. Raises StackError."""
        self.lay_out(service)
        if service == "postgres":
            self._new_cluster()
        log = self.folder / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(service), env=self.environment(service), cwd=self.folder, stdout=output, stderr=output
            )
        self.processes[service] = process
        if self.services[service].get("restart") == "no":
            if process.wait(120) != 0:
                raise StackError(f"{service} failed:\n{self.tail(service)}")
        else:
            self._wait(service, process)
        if service == "postgres":
            self._new_database()

    def tail(self, service: str) -> str:
        """The end of its log."""
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")[-TAIL_BYTES:]

    def _wait(self, service: str, process: subprocess.Popen[bytes]) -> None:
        port = self.ports["tls" if service == "nginx" else service]
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                if service == "surgical-risk":
                    urllib.request.urlopen(f"{self.url(service)}/ready", timeout=5).close()  # noqa: S310 — http, ours
                else:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            time.sleep(0.1)
        raise StackError(f"{service} did not start:\n{self.tail(service)}")

    def _new_cluster(self) -> None:
        data = Path(self._paths("postgres")["/var/lib/postgresql/data"])
        if (data / "PG_VERSION").exists():
            return
        if os.geteuid() == 0:
            shutil.chown(data, SERVER_OWNER)
        password = ["-A", "scram-sha-256", "--pwfile", str(self.state / "here/postgres-password")]
        initdb = [*as_server(), of_postgres("initdb"), "-D", str(data), "-U", "surgical_risk", *password]
        subprocess.run(initdb, check=True, capture_output=True)

    def _new_database(self) -> None:
        environment = os.environ | {"PGPASSWORD": (self.state / "postgres-password").read_text().strip()}
        place = ["-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "surgical_risk"]
        command, until = [of_postgres("createdb"), *place, "surgical_risk"], time.monotonic() + START_S
        while True:
            made = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
            if made.returncode == 0 or "already exists" in made.stderr:
                return
            if "starting up" not in made.stderr or time.monotonic() > until:
                raise StackError(made.stderr)
            time.sleep(0.2)

    def stop(self) -> None:
        """End everything, what was started last first."""
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(45)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def running(folder: Path, *services: str) -> Iterator[Stack]:
    """The stack, or the services named, until the block ends."""
    stack = Stack(folder)
    try:
        for service in services or ORDER:
            stack.start(service)
        yield stack
    finally:
        stack.stop()


def main() -> None:
    """Start everything, say where it is, stay until Ctrl-C."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, help="where record, metrics and logs stay (default: one that goes)")
    given = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="surgical-risk-stack-") as temporary,
        contextlib.suppress(KeyboardInterrupt),
        running(given.folder or Path(temporary)) as stack,
    ):
        sys.stdout.write(
            f"Service     {stack.url('tls', 'https')} (nginx), {stack.url('surgical-risk')} behind it\n"
            f"Prometheus  {stack.url('prometheus')}/alerts and /graph\nLogs        {stack.folder}/*.log\n"
            "The invented EHR calls three times a second. Ctrl-C ends everything.\n"
        )
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
