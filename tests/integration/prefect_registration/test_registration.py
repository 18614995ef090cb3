"""What an operator registers on a Prefect server: deployments and blocks."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest
import ruamel.yaml
from prefect.flows import Flow, load_flow_from_entrypoint
from pydantic import SecretStr

from blocks import CoolifyServer, ReleaseHistory

ROOT = Path(__file__).parents[3]
DEPLOYMENTS = ruamel.yaml.YAML(typ="safe").load((ROOT / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_every_deployment_names_a_flow_that_loads(deployment, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert isinstance(flow, Flow)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_no_flow_takes_a_secret_as_a_parameter(deployment, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    schema = flow.parameters.model_dump_json()
    properties = set(flow.parameters.properties)
    assert not {name for name in properties if "token" in name or "password" in name}
    if "server" in properties:
        assert "coolify-server" in schema


def test_the_blocks_are_found_by_prefect() -> None:
    (collection,) = (one for one in entry_points(group="prefect.collections") if one.name == "coolify_flows")
    module = collection.load()
    assert {"CoolifyServer", "ReleaseHistory"} <= set(module.__all__)


async def test_a_server_block_keeps_its_token_secret(in_prefect) -> None:
    await CoolifyServer.register_type_and_schema()
    await ReleaseHistory.register_type_and_schema()
    block = CoolifyServer(base_url="https://coolify.example.com", token=SecretStr("3|very-secret"))
    await block.asave("test-server", overwrite=True)
    loaded = await CoolifyServer.aload("test-server")
    assert loaded.token.get_secret_value() == "3|very-secret"
    assert "very-secret" not in repr(loaded)
    async with loaded.get_client() as client:
        assert client.base_url == "https://coolify.example.com"


async def test_a_release_uses_the_server_block_instead_of_the_file(shop, in_prefect, monkeypatch) -> None:
    from coolify.release import Outcome
    from flows.release import ReleaseRequest, release
    from tasks.session import Target

    shop.configure(server="https://coolify.example.com")
    monkeypatch.delenv("COOLIFY_TOKEN")
    server = CoolifyServer(base_url=shop.sandbox.url, token=SecretStr(shop.sandbox.token))
    await server.asave("shop-server", overwrite=True)
    state = await release(ReleaseRequest(target=Target(config=str(shop.config))), server=server, return_state=True)
    assert (await state.aresult(raise_on_failure=False)).outcome is Outcome.COMPLETED
