"""The demo service on the loopback interface, where its risk profile can sign in at its own EHR over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds_service.records.records import Records
from cds_service.web.app import RECORDS, create_app
from cds_service.web.settings import Settings
from tests.end_to_end.servers import free_port


class Demo:
    """A running demo service: its URL, its application and its record."""

    def __init__(self, url: str, app: Flask) -> None:
        self.url = url
        self.app = app
        self.records: Records = app.extensions[RECORDS]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder: Path = tmp_path_factory.mktemp("smart")
    bind = f"127.0.0.1:{free_port()}"
    app = create_app(
        Settings(
            demo=True, bind=bind, database_url=f"sqlite:///{folder}/record.sqlite3", state_directory=folder / "state"
        )
    )
    server = make_server(*bind.split(":"), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Demo(f"http://{bind}", app)
    server.shutdown()
    thread.join()
    server.server_close()
