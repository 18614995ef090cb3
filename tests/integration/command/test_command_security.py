"""`coolify security`, as an operator runs it."""

from typing import Any

import pytest
import ruamel.yaml

from coolify.config import load_config
from tests.integration.monitor.prometheus import until


def written(shop) -> dict[str, Any]:
    return ruamel.yaml.YAML(typ="safe").load(shop.config.read_text())["security"]


async def test_a_preset_is_written_and_single_options_go_before_it(shop, coolify) -> None:
    done = await coolify("security", "configure", "--preset", "moderate", "--frame-options", "deny", "--json")
    assert done.code == 0, done.stderr
    assert {"path": "security.headers.frame_options", "before": None, "after": "deny"} in done.json["changed"]
    assert written(shop)["headers"] == {
        "hsts": {"max_age": 31536000},
        "frame_options": "deny",
        "nosniff": True,
        "referrer_policy": "strict-origin-when-cross-origin",
    }


async def test_every_option_has_its_key(shop, coolify) -> None:
    done = await coolify(
        "security", "configure", "--csp", "default-src 'self'", "--permissions-policy", "camera=()",
        "--hsts-max-age", "63072000", "--hsts-subdomains", "--hsts-preload", "--header", "X-Powered-By=",
        "--cors-origin", "https://a.test", "--cors-origin", "https://b.test", "--cors-method", "GET",
        "--cors-credentials", "--rate-limit", "100", "--burst", "200", "--period", "60", "--allow", "10.0.0.0/8",
        "--max-body", "10Mi", "--basic-auth", "preview=PREVIEW_PASSWORD", "--ports", "22,80,443", "--required",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert written(shop) == {
        "headers": {
            "content_security_policy": "default-src 'self'",
            "permissions_policy": "camera=()",
            "hsts": {"max_age": 63072000, "subdomains": True, "preload": True},
            "custom": {"X-Powered-By": ""},
        },
        "cors": {"origins": ["https://a.test", "https://b.test"], "methods": ["GET"], "credentials": True},
        "rate_limit": {"average": 100, "burst": 200, "period": 60},
        "allow_list": ["10.0.0.0/8"],
        "max_body": "10Mi",
        "basic_auth": {"users": [{"name": "preview", "password": "${PREVIEW_PASSWORD}"}]},
        "ports": [22, 80, 443],
        "required": True,
    }


async def test_none_removes_a_part_as_a_whole(shop, coolify) -> None:
    options = ("--rate-limit", "5", "--burst", "9", "--cors-origin", "*", "--allow", "10.0.0.1", "--hsts-max-age", "9")
    assert (await coolify("security", "configure", *options, "--max-body", "1Mi")).code == 0
    nones = ("--rate-limit", "none", "--cors-origin", "none", "--allow", "none", "--hsts-max-age", "none")
    assert (await coolify("security", "configure", *nones)).code == 0
    assert written(shop) == {"max_body": "1Mi"}


async def test_a_dry_run_and_a_mistake_leave_the_file_alone(shop, coolify) -> None:
    before = shop.config.read_text()
    done = await coolify("security", "configure", "--preset", "strict", "--dry-run")
    assert "Not written: --dry-run." in done.stdout
    done = await coolify("security", "configure", "--cors-origin", "*", "--cors-credentials")
    assert (done.code, "name the sites" in done.stderr) == (2, True)
    done = await coolify("security", "configure", "--rate-limit", "many")
    assert (done.code, "must be a whole number" in done.stderr) == (2, True)
    done = await coolify("security", "configure", "--basic-auth", "a=s3cret!")
    assert (done.code, "NAME=VARIABLE" in done.stderr) == (2, True)
    assert (await coolify("security", "configure")).code == 2
    assert shop.config.read_text() == before


@pytest.mark.parametrize("preset", ["moderate", "strict"])
async def test_what_a_preset_sets_is_what_visitors_get(shop, coolify, released, preset) -> None:
    assert (await coolify("security", "configure", "--preset", preset)).code == 0
    plan = await coolify("plan")
    assert "security labels: nothing -> headers" in plan.stdout
    await released()
    assert "security" not in (await coolify("plan")).stdout
    done = await coolify("security", "check", "--json")
    assert (done.code, done.json["passed"]) == (0, True), done.stdout
    names = {one["name"] for one in done.json["findings"]}
    assert "security-headers-set" in names
    assert ("security-header-recommended" in names) is (preset == "moderate")


async def test_limits_are_exceeded_when_asked_and_hold(shop, coolify, released) -> None:
    limit = {"average": 50, "burst": 60, "period": 1}
    shop.configure(security={"rate_limit": limit, "max_body": "1Ki"})
    await released()
    done = await coolify("security", "check", "--probe-limits", "--json")
    names = {one["name"] for one in done.json["findings"]}
    assert "security-body-size-refused" in names
    assert names & {"security-rate-limit-seen", "security-rate-limit-unproved"}
    assert done.code == 0


async def test_headers_that_do_not_arrive_fail_the_check(shop, coolify, released) -> None:
    await released()
    shop.configure(security={"headers": {"frame_options": "deny"}})
    done = await coolify("security", "check")
    assert done.code == 1
    assert "does not send X-Frame-Options" in done.stdout
    assert load_config(shop.config).security.headers.frame_options == "deny"


async def test_what_is_not_deployed_is_not_judged_by_the_page_of_the_proxy(shop, coolify) -> None:
    shop.configure(security={"headers": {"frame_options": "deny"}})
    done = await coolify("security", "check", "--json")
    assert (done.code, [one["name"] for one in done.json["findings"]]) == (1, ["security-not-running"])
    (finding,) = done.json["findings"]
    assert finding["summary"].startswith("Coolify has no application shop yet; at https://shop.sandbox.test/health")
    done = await coolify("security", "check", COOLIFY_TOKEN="1|wrong")
    assert done.code == 1
    assert "as a proxy does that reaches no application" in done.text
    assert "Coolify could not be asked" in done.text
    assert "X-Frame-Options" not in done.text


async def test_what_was_stopped_is_not_judged_either(shop, coolify, released) -> None:
    shop.configure(security={"headers": {"frame_options": "deny"}})
    await released()
    (application,) = shop.sandbox.state.all("application")
    async with shop.client() as client:
        await client.applications.stop(application.uuid)

        async def is_stopped() -> bool:
            return not (await client.applications.get(application.uuid)).parsed_status.is_running

        await until(is_stopped)
    done = await coolify("security", "check", "--json")
    (finding,) = done.json["findings"]
    assert (done.code, finding["name"]) == (1, "security-not-running")
    assert finding["summary"].startswith("shop does not run, Coolify calls it exited; at https://shop.sandbox.test/")


async def test_open_ports_of_the_servers_own_address_are_named(shop, coolify) -> None:
    edge, api = shop.sandbox.edge.https_port, shop.sandbox.url.rpartition(":")[2]
    shop.configure(security={"ports": [edge]}, domains=None)
    done = await coolify("security", "check", "--ports", f"{api},1", "--json")
    (opened,) = [one for one in done.json["findings"] if one["name"] == "security-port-open"]
    assert (done.code, opened["subject"]) == (1, "127.0.0.1")
    assert api in opened["summary"]
    shop.configure(security={"ports": [edge, int(api)]})
    assert (await coolify("security", "check", "--ports", f"{api},1", "--json")).json["passed"]
    assert (await coolify("security", "check", "--no-ports")).code == 2
    assert "no range of ports" in (await coolify("security", "check", "--ports", "0-9")).stderr
