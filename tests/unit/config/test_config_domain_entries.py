"""Domains are added to the file and taken away; everything else stays to the letter."""

from pathlib import Path

import pytest

from coolify.config import ConfigError, NewDomain, add_domain, load_config, remove_domain

TEXT = """\
server: https://coolify.example.com
project: {name: shop}
# Under which names.
domains:
  # the main one
  - primary: "app.example.com"  # asked for by sales
    ssl: true
  # for tests
  - staging: "staging.app.example.com"
    ssl: true   # yes

# What it needs.
env:
  A: b
"""
OVERLAY = (
    TEXT
    + """
environments:
  staging:
    domains:
    - main: "one.example.com"
    - also: "two.example.com"
    # Less of everything.
    resources: {cpu: "1"}
"""
)
NEW = NewDomain("api.example.com")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(TEXT)
    return path


def added_lines(before: str, after: str) -> list[str]:
    """Return the lines that one text has more than the other, which must be there unchanged."""
    old, new = before.splitlines(), after.splitlines()
    more = []
    for line in new:
        if old and line == old[0]:
            old.pop(0)
        else:
            more.append(line)
    assert not old, old
    return more


def test_a_new_domain_stands_behind_the_last_and_nothing_else_moves(file: Path) -> None:
    made = add_domain(file, "", NEW)
    assert file.read_text() == TEXT
    made.save()
    assert added_lines(TEXT, file.read_text()) == ['  - api: "api.example.com"', "    ssl: true"]
    assert file.read_text().index("api.example.com") < file.read_text().index("# What it needs.")
    assert [one.url for one in load_config(file).domains] == ["https://app.example.com", "https://api.example.com"]
    assert made.edits[0].path == "domains.2"


def test_a_domain_that_is_there_already_is_not_written_again(file: Path) -> None:
    assert add_domain(file, "", NewDomain("app.example.com")).edits == ()


def test_what_is_added_can_be_removed_to_the_letter(file: Path) -> None:
    add_domain(file, "", NEW).save()
    remove_domain(file, "", NEW.host).save()
    assert file.read_text() == TEXT


def test_https_is_switched_in_its_own_line(file: Path) -> None:
    add_domain(file, "", NewDomain("app.example.com", ssl=False)).save()
    assert file.read_text() == TEXT.replace("sales\n    ssl: true", "sales\n    ssl: false")


def test_a_name_is_not_taken_from_a_host_that_is_nearly_an_environment(file: Path) -> None:
    add_domain(file, "", NewDomain("stagin.example.com")).save()
    assert '  - domain: "stagin.example.com"' in file.read_text()


def test_a_name_that_only_this_call_gives_to_an_environment_is_not_written(file: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean `staging`"):
        add_domain(file, "stagin", NEW).save()
    assert file.read_text() == TEXT


def test_a_path_is_another_entry(file: Path) -> None:
    add_domain(file, "", NewDomain("app.example.com", path="/v1", name="v1")).save()
    assert '  - v1: "app.example.com"\n    ssl: true\n    path: "/v1"\n' in file.read_text()


def test_an_environment_gets_a_domain_of_its_own(file: Path) -> None:
    add_domain(file, "staging", NEW).save()
    assert [one.host for one in load_config(file, environment="staging").domains] == [
        "staging.app.example.com",
        "api.example.com",
    ]
    assert [one.host for one in load_config(file).domains] == ["app.example.com"]


def test_a_list_of_the_environment_is_edited_where_there_is_one(file: Path) -> None:
    file.write_text(OVERLAY)
    add_domain(file, "staging", NEW).save()
    assert added_lines(OVERLAY, file.read_text()) == ['    - staging: "api.example.com"', "      ssl: true"]
    for host in ("one.example.com", "two.example.com", NEW.host):
        remove_domain(file, "staging", host).save()
    assert load_config(file, environment="staging").domains == ()
    assert "    domains: []\n    # Less of everything.\n" in file.read_text()


def test_removing_the_last_of_a_list_keeps_what_people_wrote(file: Path) -> None:
    made = remove_domain(file, "", "app.example.com")
    made.save()
    assert made.config.domains == ()
    assert [line.strip() for line in added_lines(file.read_text(), TEXT)] == [
        '- primary: "app.example.com"  # asked for by sales',
        "ssl: true",
    ]
    remove_domain(file, "staging", "staging.app.example.com").save()
    assert "domains: []\n  # the main one\n  # for tests\n\n# What it needs.\n" in file.read_text()


def test_a_domain_that_is_not_there_is_not_removed(file: Path) -> None:
    assert remove_domain(file, "", "staging.app.example.com").edits == ()
    assert remove_domain(file, "", "nowhere.example.com").edits == ()


def test_a_file_without_domains_gets_the_section(file: Path) -> None:
    file.write_text("server: https://coolify.example.com\nproject: {name: shop}\n")
    add_domain(file, "", NEW).save()
    assert [(one.name, one.host) for one in load_config(file).domains] == [("primary", "api.example.com")]


@pytest.mark.parametrize(
    "written",
    [
        'domains: [{primary: "app.example.com"}]\n',
        "domains: []\n",
        "env:\n  A: &x app.example.com\ndomains:\n  - primary: *x\n  - a: a.example.com\n",
        "domains: [\n  {primary: app.example.com},\n  {a: a.example.com}\n]\n",
        "domains:\n- {primary: app.example.com}",
        "domains:\n-\n  primary: app.example.com\n",
    ],
)
def test_a_list_in_another_style_is_edited_too(file: Path, written: str) -> None:
    file.write_text(f"server: https://coolify.example.com\nproject: {{name: shop}}\n{written}")
    before = load_config(file).domains
    add_domain(file, "", NEW).save()
    assert [one.host for one in load_config(file).domains] == [*(one.host for one in before), NEW.host]
    remove_domain(file, "", NEW.host).save()
    assert load_config(file).domains == before


def test_a_host_of_another_environment_is_not_taken(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"domains.1: staging.app.example.com belongs to another environment"):
        add_domain(file, "", NewDomain("staging.app.example.com"))


def test_a_result_that_would_be_wrong_is_not_written(file: Path) -> None:
    with pytest.raises(ConfigError, match="write the host name alone"):
        add_domain(file, "", NewDomain("https://api.example.com"))
