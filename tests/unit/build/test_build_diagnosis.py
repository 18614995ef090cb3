"""Every rule finds its cause in a log of its kind, and no other rule speaks before it."""

import re
from pathlib import Path

import pytest

from coolify.build import RULES, Again, diagnose
from coolify.finding import Severity

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> list[str]:
    return (SAMPLES / f"{name}.log").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_log_of_its_kind_names_the_cause_first(rule) -> None:
    found = diagnose(sample(rule.name))
    assert found[0].rule is rule
    assert found[0].lines
    assert all(line in [one.strip() for one in sample(rule.name)] for line in found[0].lines)


def test_a_green_log_gives_no_diagnosis() -> None:
    assert diagnose(sample("green")) == ()


def test_every_sample_belongs_to_a_rule_and_names_are_unique() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert {file.stem for file in SAMPLES.glob("*.log")} == {*names, "green"}


def test_an_entry_of_several_lines_is_read_line_by_line_and_cut() -> None:
    (found,) = diagnose(["step\n" + "x" * 1000 + "\nfatal: Remote branch a not found in upstream origin"])
    assert found.lines == ("fatal: Remote branch a not found in upstream origin",)
    (long,) = diagnose(["no space left on device " + "x" * 1000])
    assert len(long.lines[0]) == 300


def test_the_finding_tells_cause_evidence_and_remedy() -> None:
    finding = diagnose(sample("build-branch-missing"))[0].finding("shop")
    assert finding.severity is Severity.ERROR
    assert finding.subject == "shop"
    assert "source.branch" in finding.remedy


def test_what_passes_by_itself_or_is_worse_without_the_cache_is_repeated_with_it() -> None:
    repeated = {rule.name for rule in RULES if rule.again is Again.UNCHANGED}
    assert repeated == {"build-network", "build-out-of-memory", "start-out-of-memory"}


@pytest.mark.parametrize(
    ("before", "cause"), [("Building docker image started.", "build"), ("Rolling update started.", "start")]
)
def test_the_same_words_mean_the_server_in_a_build_and_the_limit_of_the_container_after_it(before, cause) -> None:
    (found,) = diagnose([before, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"])
    assert found.rule.name == f"{cause}-out-of-memory"


def test_every_cause_is_explained_in_the_guide() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Builds\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)$", section, re.MULTILINE) == [rule.name for rule in RULES]
