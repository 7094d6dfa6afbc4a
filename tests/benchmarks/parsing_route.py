"""What the service is measured against: a Flask route that parses the same body and answers a constant."""

from __future__ import annotations

import json

from flask import Flask, Response, request

app = Flask(__name__, static_folder=None)


@app.post("/cds-services/surgical-risk")
def parse() -> Response:
    json.loads(request.get_data())
    return Response(b'{"cards":[]}', mimetype="application/json")


@app.get("/cds-services")
def ready() -> Response:
    return Response(b"{}", mimetype="application/json")
