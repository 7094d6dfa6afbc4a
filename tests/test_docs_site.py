"""The documents as a site: every page is in its menu, every link leads somewhere, nothing comes from another host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SETTINGS = DOCS / "mkdocs.yml"
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
# What a browser loads by itself when a page or a style is opened; a link that a reader follows is none of it.
_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?([^\"'\s>]+)"
    r"|<link\b(?=[^>]*rel=[\"']?(?:stylesheet|icon|shortcut icon|preload|preconnect))[^>]*\bhref=[\"']?([^\"'\s>]+)"
    r"|@import\s+[\"']?([^\"'\s;]+)|url\([\"']?([^\"')]+)"
)


def name(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def _id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def in_the_menu(entries: list[object]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        values = entry.values() if isinstance(entry, dict) else [entry]
        for value in values:
            found += in_the_menu(value) if isinstance(value, list) else [str(value)]
    return found


def anchors(page: Path) -> set[str]:
    """The headings as MkDocs and a repository's page both name them: a heading that they name otherwise has none."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {heading for words in _HEADING.findall(text) if (heading := _here(words)) == _there(words)}


def _here(words: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", words.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", kept)


def _there(words: str) -> str:
    return re.sub(r"[^\w\s-]", "", words.replace("`", "")).strip().lower().replace(" ", "-")


def test_every_page_is_in_the_menu_once() -> None:
    listed = in_the_menu(yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["nav"])
    assert sorted(listed) == sorted(map(name, PAGES))


def test_the_readme_names_every_page() -> None:
    """Of the decisions the first, which leads to the others."""
    named = set(_LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    expected = {f"docs/{name(page)}" for page in PAGES if page.parent == DOCS or page.name == "README.md"}
    assert expected <= named


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))], ids=_id)
def test_every_link_and_anchor_of_a_page_resolves(page: Path) -> None:
    """Both as the site has it and as the repository shows it; a page of the site links to no file outside of it."""
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link} is not there"
        assert DOCS not in page.parents or DOCS in target.parents, f"{page.name}: {link} is no part of the site"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link} is no heading there"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make docs` builds it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        "-",
    ]  # --quiet counts no warning
    with SETTINGS.open("rb") as settings:
        done = subprocess.run(
            command, cwd=folder, stdin=settings, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / ".build" / "site"


def test_it_is_built_strictly_and_holds_every_page(site: Path) -> None:
    built = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    expected = {name(page).removesuffix(".md").replace("README", "index") for page in PAGES}
    assert expected <= built
    assert not list(site.rglob("mkdocs.yml"))


def test_lists_and_tables_are_read_as_such(site: Path) -> None:
    """MkDocs takes a list or table behind a line of text, without an empty line between, for more of that text."""
    for path in site.rglob("*.html"):
        for words in re.findall(r"<p>(.*?)</p>", path.read_text(encoding="utf-8"), re.DOTALL):
            assert not re.search(r"^([-*] |\d\. |\||```)", words, re.MULTILINE), f"{path.name}: {words[:200]}"


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    loaded = 0
    for path in (*site.rglob("*.html"), *site.rglob("*.css")):
        for groups in _LOADED.findall(path.read_text(encoding="utf-8")):
            address = "".join(groups)
            loaded += 1
            assert not re.match(r"(https?:)?//", address), f"{path.name} loads {address}"
    assert loaded > len(PAGES)


def test_make_docs_is_what_is_tested() -> None:
    assert "-m mkdocs build --strict -f - < docs/mkdocs.yml\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
