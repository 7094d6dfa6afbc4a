"""The papers of a release in .build/papers: what it is made of (CycloneDX), what is known against it, how it was built.

`make papers` runs this in .build/tools. An audit that could not ask is told as NOT AUDITED, and with --release it ends
the run: nothing that was not asked is ever told as "no known vulnerabilities".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
MODELS = ROOT / "models_onnx"
HERE = Path(sys.executable).parent
BUILD_TYPE = "https://github.com/surgical-risk/surgical-risk/blob/main/docs/supply-chain.md#how-it-is-built"


def project() -> dict[str, Any]:
    """What pyproject.toml says of the product."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def locked() -> dict[str, tuple[str, list[str]]]:
    """Each package of the lock with its version, and what asked for it (`via`; the product itself is "")."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", LOCK.read_text(encoding="utf-8")):
        head = re.match(r"([a-z0-9._-]+)==([^ ;\\\n]+)", entry)
        if head is None:
            continue
        via = re.findall(r"^ +#(?: via)? +([a-z0-9._-]+)(?: \(pyproject\.toml\))?$", entry, re.MULTILINE)
        found[head[1]] = head[2], ["" if one == project()["name"] else one for one in via if one != "via"]
    return found


def sbom() -> dict[str, Any]:
    """The packages with the hashes that the lock allows, who asked for whom, and each model with its hash."""
    command = [HERE / "cyclonedx-py", "requirements", LOCK, "--pyproject", ROOT / "pyproject.toml"]
    shape = ["--sv", "1.6", "--of", "JSON", "--output-reproducible", "--short-PURLs", "-i", "index:"]
    made = subprocess.run([*command, *shape], check=True, capture_output=True, text=True, timeout=120)
    told: dict[str, Any] = json.loads(made.stdout)
    told["components"] += models()
    root = told["metadata"]["component"]["bom-ref"]
    by_name = {one["name"]: one["bom-ref"] for one in told["components"]}
    packages = locked()
    rests_on: dict[str, list[str]] = {root: [one["bom-ref"] for one in models()]} | {
        ref: [] for ref in by_name.values()
    }
    for name, (_, askers) in packages.items():
        for asker in askers:
            rests_on[by_name[asker] if asker else root].append(by_name[name])
    told["dependencies"] = [{"ref": ref, "dependsOn": sorted(of)} for ref, of in sorted(rests_on.items())]
    return told


def models() -> list[dict[str, Any]]:
    """The graphs that are told, as components."""
    listed: Mapping[str, str] = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": f"model:{name}",
            "name": name.split("/")[1],
            "version": name.split("/")[2],
            "group": name.split("/")[0],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }
        for name, digest in listed.items()
        if name.endswith("/model.onnx")
    ]


def audit() -> dict[str, Any]:
    """What pip-audit found, and how many of the packages it could ask about at all."""
    command = [HERE / "pip-audit", "-r", LOCK, "--require-hashes", "--disable-pip", "--format", "json"]
    made = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    return judged(made.stdout, sorted(locked()))


def judged(output: str, names: list[str]) -> dict[str, Any]:
    """The verdict on the output of pip-audit: a package that it does not answer for was not audited."""
    try:
        told = {one["name"]: one for one in json.loads(output)["dependencies"]}
    except (ValueError, KeyError, TypeError):
        told = {}
    asked = [name for name in names if name in told and "skip_reason" not in told[name]]
    known = {name: [one["id"] for one in told[name]["vulns"]] for name in asked if told[name].get("vulns")}
    verdict = "VULNERABLE" if known else "NOT AUDITED" if len(asked) < len(names) else "no known vulnerability"
    return {"verdict": verdict, "asked": len(asked), "of": len(names), "known": known}


def provenance(artifacts: list[Path]) -> dict[str, Any]:
    """An in-toto statement (SLSA provenance 1.0): from which commit and which locks these files were made."""
    commit = _git("rev-parse", "HEAD")
    locks = sorted(ROOT.glob("requirements*.lock"))
    materials = [{"uri": one.name, "digest": {"sha256": sha256(one)}} for one in locks]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": one.name, "digest": {"sha256": sha256(one)}} for one in artifacts],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"commit": commit, "clean": not _git("status", "--porcelain")},
                "resolvedDependencies": [{"uri": "git:", "digest": {"gitCommit": commit}}, *materials],
            },
            "runDetails": {"builder": {"id": "make papers"}, "metadata": {"invocationId": commit}},
        },
    }


def wheel(folder: Path) -> Path:
    """The product's wheel, made twice from what is committed: one that differs each time could be anything."""
    digests = set()
    shutil.rmtree(folder / "first", ignore_errors=True)
    shutil.rmtree(folder / "second", ignore_errors=True)
    for turn in ("first", "second"):
        command = [
            ROOT / ".venv/bin/pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            folder / turn,
            ROOT,
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        (made,) = (folder / turn).glob("*.whl")
        digests.add(sha256(made))
    if len(digests) != 1:
        raise SystemExit("the wheel is not the same twice: no provenance is written for it")
    return made.replace(folder / made.name)


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def written(folder: Path) -> Iterator[str]:
    """Write each paper, and say it in a line."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"sbom.cdx.json": sbom(), "audit.json": audit()}
    for name, paper in made.items():
        (folder / name).write_text(json.dumps(paper, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    yield f"sbom.cdx.json  {len(made['sbom.cdx.json']['components'])} components"
    told = made["audit.json"]
    yield f"audit.json     {told['verdict']}: {told['asked']} of {told['of']} packages could be asked about"
    for name, ids in told["known"].items():
        yield f"               {name}: {', '.join(ids)}"
    subjects = [wheel(folder), folder / "sbom.cdx.json"]
    statement = json.dumps(provenance(subjects), indent=1) + "\n"
    (folder / "provenance.json").write_text(statement, encoding="utf-8")
    yield f"provenance.json of {', '.join(one.name for one in subjects)}"


def main() -> None:
    """Write the papers; with a known vulnerability, or a release that was not audited, end with an error."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=ROOT / ".build/papers")
    options.add_argument("--release", action="store_true", help="an audit that could not ask is an error")
    given = options.parse_args()
    for line in written(given.folder):
        sys.stdout.write(f"{line}\n")
    verdict = json.loads((given.folder / "audit.json").read_text(encoding="utf-8"))["verdict"]
    if verdict == "VULNERABLE" or (given.release and verdict != "no known vulnerability"):
        raise SystemExit(f"the audit says: {verdict}")


if __name__ == "__main__":
    main()
