from pathlib import Path

from coolify.api.capabilities import Capabilities, CoolifyVersion, Feature
from coolify.api.compatibility import markdown

PAGE = Path(__file__).parents[3] / "docs/coolify-compatibility.md"


def test_the_page_in_docs_is_current() -> None:
    assert PAGE.read_text() == markdown(), "run `make docs`"


def test_every_feature_has_its_row_and_what_happens_without_it() -> None:
    text = markdown()
    for feature in Feature:
        assert f"| {feature.title} |" in text
        assert f"* **{feature.title}** before {feature.since}: " in text


def test_what_the_page_calls_missing_the_capabilities_refuse() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| ") and not line.startswith("| function")]
    columns = ("4.0.0", "4.1.2", "4.2.0", "4.3.0")
    by_title = {feature.title: feature for feature in Feature}
    seen = 0
    for row in rows:
        title, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        if title in by_title:
            for column, cell in zip(columns, cells, strict=True):
                supported = Capabilities(CoolifyVersion(column)).supports(by_title[title])
                assert (cell == "yes") is supported
                seen += 1
    assert seen == len(Feature) * len(columns)
