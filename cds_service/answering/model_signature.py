"""Who stands for a folder of models: a signature over manifest.json, which lists every other file by its sha256.

manifest.json alone finds what was changed by mistake; whoever may write the folder can write the list anew. With
CDS_MODELS_KEY a folder is served only where its manifest.sig is of that key: a JWS (RFC 7515) in compact form whose
payload is manifest.json, byte for byte. registry.yaml is not on the list (models_onnx/manifest.py): whoever may write
the folder may still choose among versions that were signed.
"""

from __future__ import annotations

import json
from pathlib import Path

from joserfc import jwk, jws
from joserfc.errors import JoseError

from models_onnx import manifest
from models_onnx.model_card import ModelError

NAME = "manifest.sig"
ALGORITHMS = ("ES384", "RS384")
_MOST_BYTES = 1024 * 1024


def sign(directory: Path, key: jwk.Key, *, algorithm: str, kid: str) -> None:
    """Write manifest.sig for manifest.json as it is. Raises ModelError where a file is not as that lists it."""
    manifest.verify(directory)
    content = (directory / manifest.NAME).read_bytes()
    signed = jws.serialize_compact({"alg": algorithm, "kid": kid}, content, key, algorithms=list(ALGORITHMS))
    (directory / NAME).write_text(signed + "\n", encoding="ascii")


def check(directory: Path, key_file: Path | None) -> None:
    """Raise ModelError unless the folder's manifest was signed by the key; without a key nothing is asked for."""
    if key_file is None:
        return
    key = _public_key(key_file)
    signature, content = _read(directory / NAME), _read(directory / manifest.NAME)
    try:
        signed = jws.deserialize_compact(signature.strip(), key, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{NAME} is no signature by the key of {key_file.name} (CDS_MODELS_KEY)") from error
    if signed.payload != content:
        raise ModelError(f"{NAME}: signs another {manifest.NAME} than the one that is here")


def _public_key(path: Path) -> jwk.Key:
    try:
        key: jwk.Key = jwk.import_key(json.loads(_read(path)))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"CDS_MODELS_KEY: {path.name} is no JWK that can be read") from error
    if not isinstance(key, (jwk.ECKey, jwk.RSAKey)) or key.is_private:
        raise ModelError(
            f"CDS_MODELS_KEY: {path.name} is no public key (EC or RSA); a private one stays with who signs"
        )
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read") from error
    if len(content) > _MOST_BYTES:
        raise ModelError(f"{path.name} is larger than it can be")
    return content
