"""What a look at the files of a commit says about its build."""

import pytest

from coolify.config import Build, Domain
from coolify.finding import Severity
from coolify.source.judge import files_to_read, judge_source
from coolify.source.tree import SourceTree

COMMIT = "a" * 40


def names(build: Build, texts: dict[str, str], *files: str, domains: tuple[Domain, ...] = ()) -> list[str]:
    tree = SourceTree(COMMIT, frozenset({*files, *texts}), texts)
    found = judge_source(build, domains, tree)
    assert all(one.summary and one.subject for one in found)
    return [one.name for one in found]


def test_a_dockerfile_in_its_place_is_fine() -> None:
    build = Build(pack="dockerfile", port=8080)
    assert files_to_read(build) == ("Dockerfile",)
    assert names(build, {"Dockerfile": "FROM scratch\nEXPOSE 8080/tcp 9090\n"}) == []


def test_a_missing_dockerfile_is_an_error_that_names_similar_files() -> None:
    build = Build(pack="dockerfile", base_directory="/app", dockerfile="/docker/Dockerfile")
    tree = SourceTree(COMMIT, frozenset({"app/dockerfile.prod", "app/main.py"}))
    (found,) = judge_source(build, (), tree)
    assert (found.name, found.severity) == ("source-dockerfile-missing", Severity.ERROR)
    assert found.subject == "app/docker/Dockerfile"
    assert "app/dockerfile.prod" in found.evidence[0]


def test_a_port_that_the_dockerfile_does_not_expose_is_a_warning() -> None:
    build = Build(pack="dockerfile", port=3000)
    assert names(build, {"Dockerfile": "FROM scratch\nEXPOSE 8080\n"}) == ["source-port-differs"]
    assert names(build, {"Dockerfile": "FROM scratch\nEXPOSE $PORT\n"}) == []


def test_a_base_directory_that_is_not_there_is_the_only_thing_that_is_said() -> None:
    assert names(Build(base_directory="/web"), {}, "README.md") == ["source-directory-missing"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services:\n  web:\n    build: .\n", []),
        ("services:\n  api: {}\n", ["source-compose-service-unknown"]),
        ("services: [\n", ["source-compose-file-invalid"]),
        ("version: '3'\n", ["source-compose-file-invalid"]),
    ],
)
def test_a_compose_file_has_the_services_that_domains_lead_to(text, expected) -> None:
    domain = Domain(name="primary", host="shop.example.com", service="web")
    build = Build(pack="dockercompose")
    assert names(build, {"docker-compose.yaml": text}, domains=(domain,)) == expected


def test_a_compose_file_under_another_ending_is_missing_and_named() -> None:
    tree = SourceTree(COMMIT, frozenset({"docker-compose.yml"}))
    (found,) = judge_source(Build(pack="dockercompose"), (), tree)
    assert found.name == "source-compose-file-missing"
    assert "docker-compose.yml" in found.evidence[0]


def test_static_serves_what_is_committed() -> None:
    build = Build(pack="static", publish_directory="/dist")
    assert names(build, {}, "dist/index.html") == []
    assert names(build, {}, "dist/main.css") == ["source-index-missing"]
    assert names(build, {}, "src/index.html") == ["source-publish-directory-missing"]


def test_a_node_application_with_start_script_and_lock_file_is_fine() -> None:
    package = '{"scripts": {"start": "node ."}, "dependencies": {"express": "5"}}'
    assert names(Build(port=3000), {"package.json": package}, "package-lock.json") == []


def test_an_application_that_nothing_starts_is_a_warning() -> None:
    assert names(Build(port=3000), {}, "server.py") == ["source-start-command-unknown"]
    assert names(Build(port=3000, start_command="python server.py"), {}, "server.py") == []
    assert names(Build(port=3000), {}, "server.py", "Procfile") == []


def test_a_manifest_without_lock_file_is_a_warning_where_it_asks_for_something() -> None:
    package = '{"scripts": {"start": "node ."}, "dependencies": {"express": "5"}}'
    assert names(Build(port=3000), {"package.json": package}) == ["source-lock-file-missing"]
    assert names(Build(port=3000), {"package.json": '{"main": "index.js"}'}) == []
    asking = {"go.mod": "module shop\nrequire example.com/x v1.0.0\n"}
    assert names(Build(port=80), asking, "main.go") == ["source-lock-file-missing"]
    assert names(Build(port=80), asking, "main.go", "go.sum") == []
    assert names(Build(port=80), {"go.mod": "module shop\n"}, "main.go") == []
    assert names(Build(port=80), {}, "Gemfile", "config.ru") == ["source-lock-file-missing"]


def test_a_port_that_nobody_said_is_told_as_an_assumption() -> None:
    assert names(Build(), {}, "Procfile") == ["source-port-assumed"]


def test_files_of_other_directories_do_not_count() -> None:
    build = Build(base_directory="/web", port=3000)
    assert names(build, {}, "Procfile", "web/server.py") == ["source-start-command-unknown"]


def test_what_cannot_be_read_as_json_is_no_reason_to_fail() -> None:
    assert names(Build(port=3000, start_command="x"), {"package.json": "{"}) == []
