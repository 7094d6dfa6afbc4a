"""A site with a model of its own, and what a card says of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from models_onnx.added import shelf
from tests.acceptance.requests import a_request, a_result, bundle
from tests.models_onnx.added import graphs
from tests.models_onnx.added.test_shelf import accepting

NOT_VALIDATED = "Added by this site, not validated here"
EXTENSION = "io.surgical-risk.assessment"
HAEMOGLOBIN = "718-7"
REPORT = b"AUROC 0.80 in 312 operations"
VALIDATION = {"report": "report.txt", "sha256": hashlib.sha256(REPORT).hexdigest()}
Apps = Callable[..., Flask]


def a_site(at: Path, content: bytes | None = None, *, validated: bool = False, **members: Any) -> Path:
    """A site's folder with one model."""
    folder = graphs.folder(at / "made", content, **members, **({"validation": VALIDATION} if validated else {}))
    if validated:
        (folder / "report.txt").write_bytes(REPORT)
    shelf.add(at / "site", folder, accepting())
    return at / "site"


def labs(haemoglobin: float | None = 10.9) -> dict[str, Any]:
    found = [a_result("2160-0", 1.1, "mg/dL")]
    return bundle(*found, *([a_result(HAEMOGLOBIN, haemoglobin, "g/dL")] if haemoglobin else []))


def card(app: Flask, haemoglobin: float | None = 10.9, **prefetch: Any) -> dict[str, Any]:
    body = a_request(**({"labs": labs(haemoglobin)} | prefetch))
    answer = app.test_client().post("/cds-services/surgical-risk", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json["cards"][0]
    return told


def lasting(told: dict[str, Any]) -> dict[str, Any]:
    """The card without the minute of its data: two calls may lie on either side of a minute's end."""
    return told | {"detail": told["detail"].partition("Data as of")[0]}


def line(told: dict[str, Any], begins: str = NOT_VALIDATED) -> str:
    return next((one for one in told["detail"].split("\n\n") if one.startswith(f"**{begins}:**")), "")


def prediction(told: dict[str, Any], name: str = "bleeding") -> dict[str, Any]:
    predictions = told["extension"][EXTENSION]["predictions"]
    return next(one for one in predictions if one["model"] == name)


def percent(site: Path, **values: Any) -> int:
    """What the graph says of the person of these requests, asked without our own code."""
    content = (site / "bleeding/1.0.0/model.onnx").read_bytes()
    person = graphs.one(**({"age": 72.0, "asa_class": 3.0} | values))
    return math.floor(100 * graphs.answers(content, [person])[0] + 0.5)


def always(at: Path, probability: float, **members: Any) -> Path:
    """A site whose model gives everybody this probability, as 30-day death."""
    nodes = [
        graphs.node("ReduceMean", ["X"], ["m"], axes=[1], keepdims=1),
        graphs.node("Mul", ["m", "zero"], ["n"]),
        graphs.node("Add", ["n", "c"], ["p"]),
    ]
    content = graphs.graph(nodes, [graphs.constant("zero", [0.0]), graphs.constant("c", [probability])])
    outcome = {
        "name": "30-day-death",
        "heading": "Death within 30 days",
        "words": "30-day death",
        "definition": "Death within 30 days.",
        "horizon": "30 days",
        "horizon_days": 30,
        "denominator": 1000,
        "frequency": "rare",
    }
    return a_site(at, content, outcome=outcome, contributions={"method": "none"}, **members)
