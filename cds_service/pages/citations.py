"""A citation with links: to PubMed Central by its number, to PubMed by journal, year, volume, page, or by title."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from markupsafe import Markup, escape

_PUBMED = "https://pubmed.ncbi.nlm.nih.gov/?term="
_CENTRAL = "https://pmc.ncbi.nlm.nih.gov/articles/"
# What is cited without a journal, and under which words PubMed has it; NICE publishes its own.
TITLES = {
    "CNS Guidelines for Perioperative Spine 2021": _PUBMED
    + quote_plus("Congress of Neurological Surgeons guidelines perioperative spine preoperative 2021"),
    "practice advisory for perioperative care of older adults 2025": _PUBMED
    + quote_plus("American Society of Anesthesiologists practice advisory perioperative care of older adults 2025"),
    "practice advisory for preanesthesia evaluation 2012": _PUBMED
    + quote_plus("American Society of Anesthesiologists practice advisory for preanesthesia evaluation 2012"),
    "multisociety clinical practice guidance": _PUBMED
    + quote_plus("multisociety clinical practice guidance safe use glucagon-like peptide-1 perioperative 2024"),
    "NICE guideline NG45": "https://www.nice.org.uk/guidance/ng45",
}
_JOURNAL = r"(?P<journal>[A-Z][A-Za-z ]{1,40}) (?P<year>\d{4});(?P<volume>\d{1,4})"
_PAGE = r"(?:\([^()]{1,20}\))?(?::(?P<page>[a-z]?\d{1,9})(?:-[a-z]?\d{1,9})?)?"
_LINKED = re.compile(
    rf"(?P<central>PMC\d{{5,9}})|{_JOURNAL}{_PAGE}|(?P<title>{'|'.join(re.escape(title) for title in TITLES)})"
)


def linked(citation: str) -> Markup:
    """The citation escaped, each work that can be found with its link."""
    told, end = Markup(""), 0
    for found in _LINKED.finditer(citation):
        told += escape(citation[end : found.start()])
        told += Markup('<a href="{}" rel="noopener">{}</a>').format(_address(found), found.group())
        end = found.end()
    return told + escape(citation[end:])


def _address(found: re.Match[str]) -> str:
    if central := found["central"]:
        return f"{_CENTRAL}{central}/"
    if title := found["title"]:
        return TITLES[title]
    parts = {"journal": found["journal"], "pdat": found["year"], "volume": found["volume"], "page": found["page"]}
    return _PUBMED + quote_plus(" AND ".join(f"{value}[{field}]" for field, value in parts.items() if value))
