"""Peer figures: how often each outcome happened after the same operation, counted on real operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from models_onnx import manifest
from models_onnx.peers import LEAST_EVENTS
from models_onnx.training.inputs import procedure_groups
from models_onnx.training.surgery_timing import CITATION, Operations

HEADER = (
    "# How often each outcome happened to adults after the same operation: aggregates of real operations, no rows.\n"
    f"# Made by `python -m models_onnx.training`; groups with fewer than {LEAST_EVENTS} events are left out.\n"
)


def write(operations: Operations, directory: Path) -> int:
    """Write peers.yaml and return the number of figures."""
    peers = []
    for outcome, happened in operations.outcomes.items():
        for group in procedure_groups():
            if not group["peers_from_ccs"]:
                continue
            same = (operations.ccs == group["ccs"]) & ~np.isnan(happened)
            n, events = int(same.sum()), int(happened[same].sum())
            if events >= LEAST_EVENTS:
                peers.append(
                    {
                        "outcome": outcome,
                        "procedure_group": group["name"],
                        "n": n,
                        "events": events,
                        "probability": round(events / n, 8),
                        "source": f"{CITATION}; adults, AHRQ-CCS {group['ccs']}",
                    }
                )
    directory.joinpath("peers.yaml").write_text(
        HEADER + yaml.safe_dump(peers, sort_keys=False, allow_unicode=True, width=160), encoding="utf-8"
    )
    manifest.write(directory)
    return len(peers)
