"""A FHIR R4 server with topic-based Subscriptions, after the examples of Subscriptions R5 Backport 1.1.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/ (Bundle-r4-notification-handshake, -heartbeat, -full-resource,
-id-only, -empty; OperationDefinition-backport-subscription-events).
"""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, request
from werkzeug.serving import make_server

Resource = dict[str, Any]
Deliver = Callable[[Resource], int]
PROFILE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4"
TOPIC = "http://hospital.example.org/SubscriptionTopic/vital-signs"


class BackportServer:
    """Holds resources and the events of one Subscription; whoever tests it makes it deliver, or not.

    `keeps`: how many events it can still tell of; `has_events`: whether it has `$events` at all; `asked`: every query.
    """

    def __init__(self, subscription: str = "vitals", *, has_events: bool = True, keeps: int = 1_000_000) -> None:
        self.subscription, self.has_events, self.keeps = subscription, has_events, keeps
        self.resources: dict[str, Resource] = {}
        self.events: list[str] = []
        self.asked: list[str] = []
        self.token: str | None = None
        self.is_down = False
        self.state = "active"
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.base = ""

    def write(self, resource: Resource) -> int:
        """Keep it, as the event of this number."""
        version = str(len(self.events) + 1)
        stamp = {"versionId": version, "lastUpdated": self.clock().isoformat()}
        name = f"{resource['resourceType']}/{resource['id']}"
        self.resources[name] = resource | {"meta": stamp}
        self.events.append(name)
        return len(self.events)

    def delete(self, name: str) -> int:
        """It is there no more, and that is an event too."""
        del self.resources[name]
        self.events.append(name)
        return len(self.events)

    def status(self, kind: str, *, numbers: tuple[int, ...] = (), focus: bool = True) -> Resource:
        said = [
            {"name": "subscription", "valueReference": {"reference": f"{self.base}/Subscription/{self.subscription}"}},
            {"name": "topic", "valueCanonical": TOPIC},
            {"name": "status", "valueCode": "requested" if kind == "handshake" else self.state},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(len(self.events))},
        ]
        for number in numbers:
            about = [{"name": "focus", "valueReference": {"reference": f"{self.base}/{self.events[number - 1]}"}}]
            part = [
                {"name": "event-number", "valueString": str(number)},
                {"name": "timestamp", "valueInstant": self.clock().isoformat()},
                *(about if focus else []),
            ]
            said.append({"name": "notification-event", "part": part})
        identity = str(uuid.uuid4())
        return {
            "fullUrl": f"urn:uuid:{identity}",
            "resource": {
                "resourceType": "Parameters", "id": identity, "meta": {"profile": [PROFILE]}, "parameter": said,
            },
            "request": {"method": "GET", "url": f"{self.base}/Subscription/{self.subscription}/$status"},
            "response": {"status": "200"},
        }  # fmt: skip

    def bundle(self, *entries: Resource) -> Resource:
        stamp = self.clock().isoformat()
        head = {"resourceType": "Bundle", "id": str(uuid.uuid4()), "type": "history", "timestamp": stamp}
        return head | {"entry": list(entries)}

    def handshake(self) -> Resource:
        return self.bundle(self.status("handshake"))

    def heartbeat(self) -> Resource:
        return self.bundle(self.status("heartbeat"))

    def notification(self, *numbers: int, content: str = "full-resource", kind: str = "event-notification") -> Resource:
        if content == "empty":
            return self.bundle(self.status(kind, numbers=numbers, focus=False))
        names = dict.fromkeys(self.events[number - 1] for number in numbers)
        return self.bundle(self.status(kind, numbers=numbers), *(self._entry(name, content) for name in names))

    def _entry(self, name: str, content: str) -> Resource:
        if name not in self.resources:
            return {"fullUrl": f"{self.base}/{name}", "request": {"method": "DELETE", "url": name},
                    "response": {"status": "204"}}  # fmt: skip
        entry = {
            "fullUrl": f"{self.base}/{name}",
            "request": {"method": "PUT", "url": name},
            "response": {"status": "200"},
        }
        return entry | ({"resource": self.resources[name]} if content == "full-resource" else {})

    def _events(self, own: str) -> Response:
        if own != self.subscription or not self.has_events:
            abort(404)
        first = int(request.args.get("eventsSinceNumber", 1))
        last = min(int(request.args.get("eventsUntilNumber", len(self.events))), len(self.events))
        numbers = [one for one in range(first, last + 1) if one > len(self.events) - self.keeps]
        content = request.args.get("content", "full-resource")
        return _json(self.notification(*numbers, content=content, kind="query-event"))

    def _search(self, kind: str) -> Response:
        since = request.args.get("_lastUpdated", "").removeprefix("ge").replace("Z", "+00:00")
        ids = request.args.get("_id", "").split(",") if "_id" in request.args else None
        found = [
            one
            for name, one in self.resources.items()
            if name.startswith(f"{kind}/")
            and (ids is None or one["id"] in ids)
            and (not since or datetime.fromisoformat(one["meta"]["lastUpdated"]) >= datetime.fromisoformat(since))
            and _is_of(one, request.args.get("patient"))
        ]
        entries = [{"fullUrl": f"{self.base}/{kind}/{one['id']}", "resource": one} for one in found]
        return _json({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})

    def application(self) -> Flask:
        app = Flask(__name__)

        @app.before_request
        def heard() -> None:
            self.asked.append(request.full_path.removeprefix("/fhir/").rstrip("?"))
            if self.is_down:
                abort(503)
            if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
                abort(401)

        app.get("/fhir/Subscription/<own>/$events")(self._events)
        app.get("/fhir/<kind>")(self._search)
        return app


def _is_of(resource: Resource, patient: str | None) -> bool:
    return patient is None or resource.get("subject", {}).get("reference") == f"Patient/{patient}"


def _json(content: Resource) -> Response:
    return Response(json.dumps(content), mimetype="application/fhir+json")


@contextlib.contextmanager
def serving(server: BackportServer) -> Iterator[BackportServer]:
    """The server at its `base`, until the block ends."""
    http = make_server("127.0.0.1", 0, server.application(), threaded=True)
    server.base = f"http://127.0.0.1:{http.server_port}/fhir"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
