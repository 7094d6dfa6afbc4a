"""The folder of `cds-service models new`: a small model of invented numbers that can be added as it is."""

from __future__ import annotations

from pathlib import Path

from models_onnx import added_card
from models_onnx.model_card import ModelError

TEMPLATE = Path(__file__).with_name("template")
# As files of ours and as files of the site's; a script that only trains is no module of the product.
FILES = {"model.yaml": "model.yaml", "model.onnx": "model.onnx", "train.txt": "train.py"}


def written(folder: Path, name: str) -> Path:
    """The folder, made; raises ModelError where the name is none or the folder is there."""
    if not added_card.is_name(name, "1.0.0"):
        raise ModelError(f"{name}: lower-case letters, digits and hyphens, 2 to 48")
    try:
        folder.mkdir(parents=True)
        for ours, theirs in FILES.items():
            content = TEMPLATE.joinpath(ours).read_bytes()
            folder.joinpath(theirs).write_bytes(content.replace(b"name: NAME ", f"name: {name} ".encode(), 1))
    except OSError as error:
        raise ModelError(f"{folder}: it is there already, or cannot be written") from error
    return folder
