"""The other groups of the command, against the sandbox."""

import json

import pytest


async def test_projects_are_listed_and_deleted_with_what_is_in_them(shop, coolify, released) -> None:
    await released()
    (listed,) = (await coolify("project", "list", "--json")).json
    assert listed["name"] == "shop"
    assert "production" in listed["environments"]
    dry = await coolify("project", "delete", "shop", "--dry-run")
    assert dry.code == 0
    assert "application shop" in dry.text
    assert "kept on the server" in dry.text
    refused = await coolify("project", "delete", "shop", "--no-input")
    assert refused.code == 2
    assert "cannot be undone" in refused.text
    assert len(shop.sandbox.state.all("project")) == 1
    done = await coolify("project", "delete", "shop", "--yes", "--json")
    assert done.code == 0, done.text
    assert done.json["deleted"][0]["type"] == "application"
    assert shop.sandbox.state.all("project") == []


async def test_a_project_that_is_not_there_is_not_deleted(coolify) -> None:
    done = await coolify("project", "delete", "nowhere", "--yes")
    assert done.code == 1
    assert "no project 'nowhere'" in done.text


async def test_values_of_the_file_are_read_changed_and_refused(shop, coolify) -> None:
    assert (await coolify("project", "config", "get", "source.branch")).stdout.strip() == "main"
    done = await coolify("project", "config", "set", "build.port", "8080", "--json")
    assert done.json["changed"] == [{"path": "build.port", "before": None, "after": 8080}]
    before = shop.config.read_text()
    done = await coolify("project", "config", "set", "build.prt", "8080")
    assert done.code == 2
    assert "did you mean `port`" in done.text
    assert shop.config.read_text() == before
    done = await coolify("project", "config", "set", "build.port", "9090", "--dry-run")
    assert "Not written" in done.text
    assert shop.config.read_text() == before
    assert (await coolify("project", "config", "show", "--json")).json["build"]["port"] == 8080
    assert (await coolify("project", "config", "validate")).code == 0


async def test_the_file_is_opened_in_the_editor_and_checked_afterwards(shop, coolify) -> None:
    done = await coolify("project", "config", "edit", EDITOR="sed -i s/branch:/branhc:/")
    assert done.code == 2
    assert "did you mean `branch`" in done.text
    done = await coolify("project", "config", "edit", EDITOR="sed -i s/branhc:/branch:/")
    assert done.code == 0, done.text
    assert "is valid" in done.text
    assert "Editing failed" in (await coolify("project", "config", "edit", EDITOR="false")).text


async def test_deploy_rollback_is_rollback(coolify) -> None:
    shown = [(await coolify(*command, "--help")).stdout for command in (["deploy", "rollback"], ["rollback"])]
    assert shown[0].replace("coolify deploy rollback", "coolify rollback", 1) == shown[1]


async def test_the_schema_is_the_one_of_the_documentation(coolify) -> None:
    from pathlib import Path

    written = json.loads((Path(__file__).parents[3] / "docs" / "config.schema.json").read_text())
    assert (await coolify("project", "config", "schema")).json == written


async def test_build_and_limits_are_written_to_the_file(shop, coolify) -> None:
    done = await coolify("resources", "allocate", "--cpu", "500m", "--memory", "1Gi", "--json")
    assert {one["path"]: one["after"] for one in done.json["changed"]} == {
        "resources.cpu": "500m",
        "resources.memory": "1Gi",
    }
    done = await coolify("build", "configure", "--start-command", "run; rm -rf /")
    assert done.code == 2
    assert ";" in done.text
    done = await coolify("resources", "allocate", "--memory", "none", "--json")
    assert done.json["changed"][0]["after"] is None
    assert (await coolify("resources", "allocate")).code == 2


async def test_what_counts_as_healthy_is_written_to_the_file(shop, coolify) -> None:
    arguments = (
        "--successes",
        "5",
        "--soak",
        "2.5",
        "--expect",
        "200",
        "--expect",
        "204",
        "--version-path",
        "/version",
    )
    done = await coolify("health", "configure", *arguments, "--no-container", "--body", "none", "--json")
    assert {one["path"]: one["after"] for one in done.json["changed"]} == {
        "health.successes": 5,
        "health.soak": 2.5,
        "health.version.path": "/version",
        "health.container.enabled": False,
        "health.expect": [200, 204],
    }
    done = await coolify("health", "configure", "--version-path", "none", "--expect", "none", "--json")
    assert [one["path"] for one in done.json["changed"]] == ["health.version", "health.expect"]
    refused = await coolify("health", "configure", "--interval", "many")
    assert refused.code == 2
    assert "neither a number nor 'none'" in refused.text
    refused = await coolify("health", "configure", "--successes", "1000", "--interval", "60")
    assert refused.code == 2
    assert "cannot be passed" in refused.text


async def test_the_environment_is_chosen_and_listed(shop, coolify) -> None:
    done = await coolify("environment", "set", "staging", "--json")
    assert done.json["changed"][0]["after"] == "staging"
    listed = {one["name"]: one for one in (await coolify("environment", "list", "--json")).json}
    assert listed["staging"]["current"] is True
    assert listed["staging"]["in_coolify"] is False


async def test_deployments_and_their_log_are_shown(shop, coolify, released) -> None:
    await released()
    (deployment,) = (await coolify("deploy", "status", "--json")).json
    assert deployment["status"] == "finished"
    done = await coolify("deploy", "logs", "--json")
    assert done.code == 0, done.text
    assert done.json["deployment_uuid"] == deployment["deployment_uuid"]
    assert done.json["lines"]
    hidden = {line["output"] for line in (await coolify("deploy", "logs", "--debug", "--json")).json["lines"]}
    assert hidden > {line["output"] for line in done.json["lines"]}
    followed = await coolify("deploy", "logs", "--follow")
    assert followed.code == 0
    assert "finished" in followed.stderr
    assert (await coolify("deploy", "logs", "--follow", "--json")).json == done.json


async def test_bare_deploy_deploys_and_proves(shop, coolify, released, prefect_server) -> None:
    await released()
    shop.repository.commit("1.1.0")
    done = await coolify("deploy", "--local", "--json", **prefect_server.environment)
    assert done.code == 0, done.text
    assert done.json["healthy"] is True
    assert await shop.version() == "1.1.0"


async def test_nothing_is_deployed_that_is_not_there(coolify) -> None:
    done = await coolify("deploy", "start", "--dry-run")
    assert done.code == 1
    assert "coolify release" in done.text


async def test_health_is_asked_without_access_to_coolify(shop, coolify, released) -> None:
    await released()
    done = await coolify("health", "check", "--json", COOLIFY_TOKEN=None)
    assert done.code == 0, done.text
    assert done.json["passed"] is True


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion_scripts_are_printed(coolify, shell) -> None:
    done = await coolify("completion", shell)
    assert done.code == 0
    assert "_COOLIFY_COMPLETE" in done.stdout


async def test_the_shell_is_offered_names_of_the_server(shop, coolify, released) -> None:
    await released()
    done = await coolify(
        COMP_WORDS="coolify project delete sh", COMP_CWORD="3", _COOLIFY_COMPLETE="bash_complete"
    )  # fmt: skip
    assert "plain,shop" in done.stdout


async def test_a_mistyped_command_gets_the_nearest(coolify) -> None:
    done = await coolify("projct", "list")
    assert done.code == 2
    assert "did you mean `project`" in done.text


async def test_the_cause_of_the_latest_failed_deployment_is_named(shop, coolify, released, tmp_path) -> None:
    marker = tmp_path / "failed-once"
    fail = f"sh -c 'test -e {marker} || {{ touch {marker}; echo \"npm error Missing script: build\"; exit 1; }}'"
    shop.configure(build={"build_command": fail, "start_command": shop.repository.START_COMMAND})
    await released()
    done = await coolify("build", "diagnose", "--json")
    assert done.code == 0, done.text
    assert [one["name"] for one in done.json["findings"]] == ["build-script-missing"]


async def test_a_directory_whose_name_is_no_project_name_asks_for_one(coolify, shop) -> None:
    shop.config.unlink()
    done = await coolify("project", "init", "--server", shop.sandbox.url, "--name", "e")
    assert done.code == 2
    assert "--name" in done.text
    assert not shop.config.exists()
