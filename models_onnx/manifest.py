"""One list of every file that answers rest on, with its sha256: a changed figure, card or golden score is found.

registry.yaml is not on it: which version is told is changed by `cds-service models promote`, and recorded there.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from models_onnx import data_files
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError

NAME = "manifest.json"
_FILES = ("peers.yaml", "stacked.json", "stacked.onnx")


def files(directory: Path) -> dict[str, str]:
    """The sha256 of each file of the models, by its path below the folder."""
    every = [path for path in (*(directory / name for name in _FILES), *directory.glob("*/*/*/*")) if path.is_file()]
    found = {path.relative_to(directory).as_posix(): path for path in every}
    return {name: _sha256(found[name]) for name in sorted(found) if not _is_code(found[name])}


def write(directory: Path) -> None:
    """List the files as they are now; whoever exports models does so last."""
    text = json.dumps(files(directory), indent=1) + "\n"
    directory.joinpath(NAME).write_text(text, encoding="utf-8")


def verify(directory: Path) -> None:
    """Raise ModelError naming a file that is not as it was exported, is missing, or was added."""
    try:
        listed = data_files.read_json(directory / NAME, dict[str, str])
    except (OSError, DataFileError) as error:
        raise ModelError(f"{NAME} cannot be read: {data_files.why(error)}") from error
    found = files(directory)
    for name in sorted({*listed, *found}):
        if listed.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not listed" if name not in listed else "was changed"
            raise ModelError(f"{name} {what} (sha256 in {NAME})")


def _is_code(path: Path) -> bool:
    return path.suffix in (".py", ".pyc")


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read") from error


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
