"""gunicorn's threaded worker, but a thread sees a request only when it is here: slow clients hold none, tenants half.

The worker of gunicorn 27.0 gives a connection to a thread at once, and the thread waits for the head for as long as the
client likes; its main loop waits up to 2 s for each client to hang up after a last answer. Measured with 16 threads:
fifty connections that send a byte a second, or nothing, or do not hang up, and nobody else is answered
(tests/end_to_end/test_slow_clients.py). A thousand of them, and it accepts nobody; a file too many, and it ends
(test_many_clients.py). Here the main loop collects heads and bodies and hangs up, and waits for nobody; each request
goes into the lane of its tenant (http_lanes.py). Who has to go for others goes after the turn of the loop, never within
it: an event of a connection that another event has closed would end the worker (test_http_worker_turns.py).

It also stops otherwise: gunicorn's keeps the listening socket open until its last answer is out and takes nobody any
more, so that whoever connects meanwhile is reset (tests/end_to_end/test_drain.py).
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from concurrent import futures
from functools import partial
from itertools import islice
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import errors as http_errors  # type: ignore[import-untyped]
from gunicorn.workers import base  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from cds_service.operations import logs, metrics
from cds_service.operations.drain import OF_THIS_NODE
from cds_service.web import open_files
from cds_service.web.heartbeat import Heartbeat
from cds_service.web.http_connection import MOST_DECLARED_BYTES, PEEK, REFUSALS, Connection, Head
from cds_service.web.http_lanes import ARRIVED, LIVE, OPERATIONS, SHARED, WAIT_AT_MOST_S, Lanes
from cds_service.web.http_pool import Pool

HEAD_TIMEOUT_S = 5.0
LINGER_S = 2.0
LOOK_S = 0.1
# Who asks at CDS_HEALTH_BIND: a load balancer, Kubernetes and Prometheus, each over a connection or two.
MOST_PROBES = 64
_STEP_BYTES = 64 * 1024  # of a body at once: gunicorn copies what is left at each
# What is under way at the end has this long; gunicorn_conf.graceful_timeout holds the queue of the record besides.
LAST_ANSWERS_S = 8
# /livez; /readyz and its neighbours: also while every other thread is held.
APART = {LIVE: 1, OPERATIONS: 2}

base.WorkerTmp = Heartbeat


class HeadFirstWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with another way into its threads and out of its connections."""

    sockets: list[Any]
    worker_connections: int

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clients, self._probes = Pool(self.worker_connections), Pool(MOST_PROBES, tells_only=True)
        self._pools = (self._clients, self._probes)
        self._lanes: Lanes[Connection] = Lanes(self.cfg.threads)
        self._telling: list[Any] = []
        self._is_telling = False
        self._look_at = 0.0
        self._apart = {lane: futures.ThreadPoolExecutor(threads, lane) for lane, threads in APART.items()}

    def init_process(self) -> None:
        """In the worker's own process: leave time for the record after the last answer, and files for its own use."""
        self.cfg.set("graceful_timeout", LAST_ANSWERS_S)
        files = open_files.for_connections()
        self._probes.most = max(1, min(MOST_PROBES, files // 8))
        self._clients.most = max(1, min(self.worker_connections, files - self._probes.most))
        self._count()
        super().init_process()

    def load_wsgi(self) -> None:
        """The application, and how it is shared."""
        super().load_wsgi()
        self._share()

    def _share(self) -> None:
        """Whether several tenants share the application; they come and go."""
        self._lanes.share(self.cfg.threads, shared=bool(getattr(self.wsgi, "extensions", {}).get(SHARED)))

    def run(self) -> None:
        """As gunicorn does; what listens at a second address (`CDS_HEALTH_BIND`) does so however many clients came."""
        self.listen()
        super().run()

    def listen(self) -> None:
        """Tell the second address from the first, and begin to take who comes there."""
        self.sockets, self._telling = self.sockets[:1], self.sockets[1:]
        for listener in self._telling:
            listener.setblocking(False)
        self._listen_apart(enabled=True)

    def _listen_apart(self, *, enabled: bool) -> None:
        changed, self._is_telling = enabled != self._is_telling, enabled
        for listener in self._telling if changed else ():
            if enabled:
                self.poller.register(listener, selectors.EVENT_READ, self.accept)
            else:
                self.poller.unregister(listener)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gunicorn does; who has to go for others goes when every event of this turn was looked at."""
        super().wait_for_and_dispatch_events(timeout)
        self._make_room()

    def _count(self) -> None:
        """gunicorn counts all connections against one number: those at the second address come on top."""
        self.worker_connections = self._clients.most + len(self._probes.open)

    def accept(self, listener: socket.socket) -> bool:
        """Take a new connection; False where none waits."""
        pool = self._probes if listener in self._telling else self._clients
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in open_files.NO_MORE:
                pool.wants_file = True
                return False
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return error.errno == errno.ECONNABORTED
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname(), pool=pool, linger=self._linger)
        pool.open.add(conn)
        pool.newest, pool.wants_room = conn, True
        self.enqueue_req(conn)
        return True

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gunicorn does; at the end take whoever waits at the door, and then shut it at once."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        self._listen_apart(enabled=False)
        for listener in (*self.sockets, *self._telling):
            listener.setblocking(False)
            while self.accept(listener):
                self._make_room()
            listener.close()
        self.sockets = self._telling = []

    def enqueue_req(self, conn: Connection) -> None:
        """Give a connection to a thread as soon as the head of its next request is whole; called by the main loop."""
        conn.until = time.monotonic() + HEAD_TIMEOUT_S
        self._go_on(conn, conn.receive())

    def _go_on(self, conn: Connection, head: Head) -> None:
        if head == "part":
            if conn not in conn.pool.heads:
                conn.pool.heads[conn] = None
                self.poller.register(conn.sock, selectors.EVENT_READ, lambda _socket: self._go_on(conn, conn.receive()))
            return
        if conn.pool.heads.pop(conn, self) is None:
            self.poller.unregister(conn.sock)
        if head != "whole" or (conn.pool.tells_only and conn.lane not in self._apart):
            self._end(conn, head if head != "whole" else "elsewhere")
            return
        conn.data_ready, conn.arrived = True, time.monotonic()
        if (apart := self._apart.get(conn.lane)) is not None:
            done = apart.submit(self.handle, conn)
            done.add_done_callback(lambda one: self.method_queue.defer(self.finish_request, conn, one))
        else:
            conn.until = conn.arrived + WAIT_AT_MOST_S
            if self._lanes.enter(conn):
                super().enqueue_req(conn)

    def handle(self, conn: Connection) -> Any:
        """Answer a request, in a thread that knows since when it is here."""
        ARRIVED.set(conn.arrived)
        return super().handle(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """A request is over: the next of its lane has its thread; called by the main loop."""
        if conn.lane not in self._apart and (following := self._lanes.leave(conn.lane)) is not None:
            super().enqueue_req(following)
        super().finish_request(conn, fs)
        conn.pool.wants_room = True

    def _end(self, conn: Connection, why: str) -> None:
        self.nr_conns -= 1
        if why == "busy":  # of the others the client is the cause; of this one nobody else tells
            logs.warn("refused", status=503, cause="no thread was free in time")
        if why in REFUSALS:
            if why != "elsewhere":  # whoever asks there is no hospital
                metrics.unanswered.labels(why).inc()
            conn.refuse(why)
        conn.close(graceful=why in REFUSALS)

    def murder_pending(self) -> None:
        """What gunicorn's loop calls at each turn: end heads that took too long, and hang up on who does not.

        Once the node takes leave every answer is the last of its connection: clients move on by themselves.
        """
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_S
        super().murder_pending()
        if OF_THIS_NODE.has_begun and self.cfg.keepalive:
            self.cfg.set("keepalive", 0)
        now = time.monotonic()
        for conn in [each for pool in self._pools for each in pool.heads if each.until <= now]:
            self._give_up(conn, "slow" if conn.has_begun else "gone")
        self._share()
        for conn in self._lanes.overdue(now):
            self._end(conn, "busy")
        for conn in [each for pool in self._pools for each in pool.lingering if each.until <= now]:
            self._hang_up(conn)
        self._count()

    def _make_room(self) -> None:
        """For who comes next at either address, and only between two turns: within one, all may have events to come."""
        for pool in self._pools:
            if pool.wants_file and not self._let_one_go(pool) and pool.lingering:
                self._hang_up(next(iter(pool.lingering)))
            while pool.wants_room and pool.is_full and self._let_one_go(pool):
                pass
            while len(pool.lingering) > max(1, pool.most // 2):
                self._hang_up(next(iter(pool.lingering)))
            pool.wants_file, pool.wants_room, pool.newest = False, False, None
        self._count()
        if self.alive:
            self._listen_apart(enabled=not self._probes.is_full)

    def _let_one_go(self, pool: Pool) -> bool:
        """Whether anybody of the pool asks for nothing: of those the one that is here the longest is gone."""
        if (conn := pool.first_to_go(self.keepalived_conns)) is None:
            return False
        if conn in pool.heads:
            self._give_up(conn, "gone")
        else:
            self.keepalived_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self._end(conn, "gone")
        return True

    def _give_up(self, conn: Connection, why: str) -> None:
        del conn.pool.heads[conn]
        self.poller.unregister(conn.sock)
        self._end(conn, why)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """What is here of a body that nobody read is taken, for the client was told that the connection stays.

        A byte more is not waited for, in a thread that others need: then the connection ends with its answer.
        """
        return keepalive and (_is_read(conn.parser.mesg) or _is_taken(conn))

    def _linger(self, conn: Connection) -> None:
        """Let the client read the last answer before the socket goes: a reset would take it away (RFC 9112, 9.6)."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            util.close(conn.sock)
            return
        conn.until = time.monotonic() + LINGER_S
        conn.pool.lingering[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: Connection, _socket: socket.socket) -> None:
        try:
            if conn.sock.recv(PEEK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._hang_up(conn)

    def _hang_up(self, conn: Connection) -> None:
        del conn.pool.lingering[conn]
        self.poller.unregister(conn.sock)
        util.close(conn.sock)


def _is_read(message: Any) -> bool:
    """Whether a body of known length was read to its end; of one that comes in chunks nobody knows before asking."""
    reader = getattr(getattr(message, "body", None), "reader", None)
    return getattr(reader, "length", None) == 0


def _is_taken(conn: Connection) -> bool:
    """Whether the rest of a body was here to its end; up to a mebibyte it is (http_connection.py)."""
    body = conn.parser.mesg.body
    conn.sock.setblocking(False)
    try:
        taken = iter(lambda: body.read(_STEP_BYTES), b"")
        most = islice(taken, MOST_DECLARED_BYTES // _STEP_BYTES)
        return all(most) and body.read(1) == b"" and not getattr(body, "failed", False)
    except (OSError, http_errors.ParseException):
        return False
    finally:
        conn.sock.setblocking(True)
