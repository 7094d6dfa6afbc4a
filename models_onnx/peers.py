"""How often the outcome happened to others who had the same operation: aggregates of real operations (peers.yaml)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models_onnx import data_files
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError


class Peer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`events` among `n` adults who had an operation of this group; `probability` is their share (0 to 1)."""

    outcome: str
    procedure_group: str
    n: int
    events: int
    probability: float
    source: str


# Below this many events a share says little, and could point at a person.
LEAST_EVENTS = 10


def read_peers(path: Path) -> dict[tuple[str, str], Peer]:
    """The peer figures by outcome and procedure group; raises ModelError if the file cannot be used."""
    try:
        peers = data_files.read_yaml(path, tuple[Peer, ...])
    except (OSError, DataFileError) as error:
        raise ModelError(f"{path.name} cannot be read: {data_files.why(error)}") from error
    for peer in peers:
        if peer.events < LEAST_EVENTS or abs(peer.probability - peer.events / peer.n) > 1e-6:
            raise ModelError(f"{path.name}: {peer.outcome} after {peer.procedure_group} has no usable figure")
    return {(peer.outcome, peer.procedure_group): peer for peer in peers}
