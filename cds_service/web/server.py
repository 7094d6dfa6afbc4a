"""gunicorn inside our own command: `cds-service serve` and `cds-service demo`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from cds_service.operations import drain, logs, state
from cds_service.web import gunicorn_conf
from cds_service.web.settings import Settings

if TYPE_CHECKING:
    from cds_service.answering.tenants_in_force import TenantsInForce


class DrainingArbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's arbiter, but at SIGTERM the node is unready for a while before it stops; calls are answered meanwhile.

    So whoever spreads the load has seen it before the door is shut. A second SIGTERM shuts it at once.
    """

    def __init__(self, app: BaseApplication, *, drain_s: float) -> None:
        self._drain_s = drain_s
        self._stops_at: float | None = None
        super().__init__(app)

    def handle_term(self) -> None:
        """SIGTERM."""
        if self._stops_at is not None or not self._drain_s:
            raise StopIteration
        drain.OF_THIS_NODE.begin()
        self._stops_at = time.monotonic() + self._drain_s
        self.log.info("Unready from now on, and stopping in %s s", self._drain_s)

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """What gunicorn's loop waits for; StopIteration once the time is over."""
        if self._stops_at is not None:
            timeout = min(timeout, self._stops_at - time.monotonic())
            if timeout <= 0:
                raise StopIteration
        signals: list[int] = super().wait_for_signals(timeout)
        return signals


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the settings of gunicorn_conf; each worker builds its own application after the fork."""

    def __init__(
        self,
        settings: Settings,
        *,
        when_ready: Callable[[], None] | None = None,
        tenants: TenantsInForce | None = None,
    ) -> None:
        """`tenants`: those that the workers share (preloading.py)."""
        self._settings = settings
        self._tenants = tenants
        self._when_ready = when_ready
        super().__init__()

    def load_config(self) -> None:
        """Take over what gunicorn_conf names, then what this deployment sets."""
        for name in self.cfg.settings:
            if hasattr(gunicorn_conf, name):
                self.cfg.set(name, getattr(gunicorn_conf, name))
        self.cfg.set("bind", [one for one in (self._settings.bind, self._settings.health_bind) if one])
        self.cfg.set("workers", self._settings.workers)
        self.cfg.set("threads", self._settings.threads)
        folder = self._settings.state_directory or state.folder(self._settings.database_url, self._settings.bind)
        self.cfg.set("on_exit", lambda _server: state.forget_answers(folder))
        if (ready := self._when_ready) is not None:
            self.cfg.set("when_ready", lambda _server: ready())

    def run(self) -> None:
        """Serve until stopped."""
        DrainingArbiter(self, drain_s=self._settings.drain_s).run()

    def load(self) -> Flask:
        """The application of one worker, built by it alone.

        Models that the arbiter had opened would hand down threads that do not exist after the fork, and every worker
        would abort when it ends (tests/end_to_end/test_shutdown.py); its code and tables are shared (preloading.py).
        """
        from cds_service.web import failures  # noqa: PLC0415
        from cds_service.web.app import create_app  # noqa: PLC0415

        try:
            return create_app(self._settings, tenants=self._tenants)
        except Exception as error:
            if failures.is_of_the_database(error):
                # gunicorn ends the node for a worker that cannot boot; this one is born again, until it is back.
                logs.warn("worker-not-born", cause=logs.OwnWords(failures.cause(error)))
                sys.exit(0)
            ours = type(error).__module__.startswith("cds_service.")
            told = logs.OwnWords(str(error)) if ours else None
            logs.warn("start-failed", error=type(error).__name__, at=logs.where(error), told=told)
            raise SystemExit(Arbiter.APP_LOAD_ERROR) from error  # else gunicorn prints the message, whatever is in it
