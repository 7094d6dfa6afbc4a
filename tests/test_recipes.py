"""The recipes for contributors, followed in a copy of the repository: they suffice, and they name every file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import references

ROOT = references.ROOT
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
_FILE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
RECIPES = re.findall(r"^### … (.+)$", CONTRIBUTING, re.MULTILINE)
_SECONDS = 600


def files(recipe: str) -> list[str]:
    """The files that a recipe names in its table."""
    section = CONTRIBUTING.split(f"### … {recipe}\n", 1)[1].split("\n### ", 1)[0]
    return _FILE.findall(section)


class Copy:
    """The repository as it is now, and what has been changed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        for name in names:
            if (ROOT / name).is_file() and not name.endswith((".gz", ".jar")):
                folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self.before = self._content()

    def _content(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name}: the recipe no longer fits"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def repeat(self, name: str, old: str, new: str, *, inside: str | None = None) -> None:
        """One entry of a JSON file once more, under a new name."""
        document = json.loads((self.folder / name).read_bytes())
        entries = document[inside] if inside else document
        entries[new] = entries[old]
        (self.folder / name).write_text(json.dumps(document, indent=1), encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """Python in the copy, with its packages and none of this repository's."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={"PYTHONPATH": str(self.folder), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def changed(self) -> set[str]:
        after = self._content()
        return {name for name in {*self.before, *after} if self.before.get(name) != after.get(name)}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


def named(recipe: str, ending: str) -> str:
    return next(name for name in files(recipe) if name.endswith(ending))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_files_of_a_recipe_are_there(recipe: str) -> None:
    assert files(recipe)
    assert [name for name in files(recipe) if not (ROOT / name).exists()] == []


def test_a_dialect_is_a_row_and_a_name(copy: Copy) -> None:
    row, name = named("a dialect", "dialects.py"), named("a dialect", "tenant.py")
    last = 'Dialect(name="sandbox"),'
    copy.edit(row, last, f'{last}\n        Dialect(name="acme", detail_limit=900),')
    copy.edit(name, '"generic", ', '"generic", "acme", ')
    copy.run("-m", "tests.cds_service.cards.write_golden")
    golden = "tests/cds_service/cards/golden/acme.json"
    assert len(json.loads((copy.folder / golden).read_bytes())["detail"]) <= 900
    assert copy.changed() == {row, name, golden}
    copy.run("-m", "pytest", "-q", "tests/cds_service/cards/test_dialects.py", "-k", "acme or every_vendor")


NEW_ROW = """\
- id: sodium-referral
  number: 25
  kind: referral
  trigger: {feature: sodium, below: 130}
  unless_requested: [endocrinology-referral]
  consider: a referral for the low sodium
  orders: [endocrinology-referral]
  lead_days: 7
  grade: association
  evidence: "an example, of no source"
  citation: None; this row stands in a test only
  source_date: "2026"
"""
NEW_CASE = """\
    "sodium-referral": Case(
        (result("2951-2", 126, "mmol/L"),),
        drafts=((SNOMED_CT, "306118006"),),
        must_not=(result("2951-2", 138, "mmol/L"),),
    ),
"""


def test_a_row_of_the_catalogue_is_a_row_and_its_case(copy: Copy) -> None:
    folder, cases = files("a row of the catalogue of options")
    theme = f"{folder}glucose.yaml"
    copy.edit(theme, "rows:\n", f"rows:\n{NEW_ROW}")
    copy.edit(cases, "CASES: dict[str, Case] = {\n", f"CASES: dict[str, Case] = {{\n{NEW_CASE}")
    copy.run("-m", "cds_service.advice.not_coded")
    assert "`sodium-referral`" in (copy.folder / "docs" / "suggestions.md").read_text(encoding="utf-8")
    assert copy.changed() == {theme, cases, "docs/suggestions.md"}
    told = copy.run("-m", "pytest", "-q", "tests/cds_service/advice/test_rows.py", "-k", "sodium-referral")
    assert re.search(r"^[4-9] passed", told, re.MULTILINE), told


def test_a_word_of_the_card_is_one_file_and_golden_answers(copy: Copy) -> None:
    folder = files("a word of the card")[0]
    copy.edit(f"{folder}outcomes.py", 'on_card="Death"', 'on_card="Dying"')
    copy.run("-m", "tests.cds_service.cards.write_golden")
    changed = copy.changed()
    assert changed - {f"{folder}outcomes.py"}
    assert {name for name in changed if "/golden" not in name} == {f"{folder}outcomes.py"}


@pytest.mark.long
def test_a_published_model_is_its_equation_its_card_and_a_row(copy: Copy) -> None:
    recipe = "a published model"
    numbers, equation, builders = (named(recipe, one) for one in ("coefficients.json", "equations.py", "published.py"))
    cards, registry, examples = (named(recipe, one) for one in ("cards/", "registry.yaml", "examples.json"))
    copy.edit(builders, '    "gscri": (', '    "gscri-again": ("gscri_again", equations.gscri_again),\n    "gscri": (')
    function = "def gscri_again(c: Coefficients) -> Published:\n    return gscri(c)\n\n\n"
    copy.edit(equation, "def gscri(", f"{function}def gscri(")
    copy.repeat(numbers, "gscri", "gscri_again", inside="equations")
    copy.repeat(examples, "gscri", "gscri-again")
    shutil.copy(copy.folder / f"{cards}gscri.yaml", copy.folder / f"{cards}gscri-again.yaml")
    row = "- {model: gscri, version: 1.0.0, state: champion}"
    copy.edit(registry, row, f"{row}\n- {{model: gscri-again, version: 1.0.0, state: challenger}}")
    copy.run("-m", "models_onnx.training", "export")
    asked = "from models_onnx.registry import load; print(sorted(m.card.name for m in load(class_b=True).models))"
    assert "gscri-again" in copy.run("-c", asked)
    products = {name for name in copy.changed() if name not in {numbers, equation, builders, examples, registry}}
    # The fitted models come out with other last digits on another processor (docs/models.md).
    folders = r"([\w-]+/gscri-again|[\w-]+/elective-[\w]+)/1\.0\.0/[\w.]+"
    made = re.compile(rf"models_onnx/(stacked\.\w+|manifest\.json|{folders})|docs/models\.md")
    assert {name for name in products if not made.fullmatch(name)} == {f"{cards}gscri-again.yaml"}
