"""Every finding is explained, and nothing is explained that cannot be found."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FINDING = re.compile(
    r"(domain|certificate|https|deployment|health-gate|security|source|release|database|backup|restore|server|watch)"
    r"(-[a-z0-9]+)+"
)
SECTIONS = {
    "Domains": ("dns",),
    "Certificates": ("tls",),
    "Health": ("health",),
    "Security": ("security",),
    "Source": ("source",),
    "Deployments": ("deployment",),
    "Servers": ("exhaustion.py",),
    "Releases": ("release", "plan"),
    "Databases": ("databases.py",),
    "Backups": ("backup",),
    "Watching": ("monitor",),
}


def finding_names(*place: str) -> set[str]:
    """Return the texts in the code of a package, of one module, or of tests, that are names of findings."""
    where = ROOT.joinpath(*place)
    return {
        node.value
        for file in ([where] if where.is_file() else where.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and FINDING.fullmatch(node.value)
    }


def headings(section: str) -> list[str]:
    """Return the headings below a section of the troubleshooting guide."""
    guide = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    _, _, rest = guide.partition(f"\n## {section}\n")
    return re.findall(r"^### (.+)$", rest.partition("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize(("section", "places"), SECTIONS.items())
def test_every_finding_has_its_heading_and_every_heading_its_finding(section: str, places: tuple[str, ...]) -> None:
    found = [finding_names("coolify", place) for place in places]
    assert all(found), "findings are looked for in the wrong place"
    assert set(headings(section)) == set().union(*found)


def test_every_finding_about_a_domain_is_seen_by_a_test_at_a_real_server() -> None:
    folder = ROOT / "tests" / "integration" / "dns"
    shown = " ".join(file.read_text(encoding="utf-8") for file in folder.glob("test_*.py"))
    assert not {name for name in finding_names("coolify", "dns") if f'"{name}"' not in shown}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_heading_stands_once_and_is_followed_by_an_explanation(section: str) -> None:
    found = headings(section)
    assert len(found) == len(set(found))
    guide = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    for name in found:
        explanation = guide.partition(f"\n### {name}\n")[2].partition("\n#")[0]
        assert len(explanation.split()) >= 5, name


def test_every_finding_about_a_certificate_is_seen_at_a_real_server() -> None:
    assert finding_names("coolify", "tls") <= finding_names("tests", "integration")
