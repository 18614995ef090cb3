"""Records written to Route 53, as moto's server plays it over HTTP."""

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from coolify.dns_providers import DnsProviderError, ManagedZone, Route53Access, plan_addresses, plan_removal

ZONE, HOST, SERVER = "example.com", "app.example.com", "192.0.2.10"


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def amazon(endpoint, monkeypatch, tmp_path):
    """A client of the administrator; everything else finds the server through the environment, as boto3 documents."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    client = boto3.client("route53", aws_access_key_id="admin", aws_secret_access_key="secret")
    yield client
    for zone in client.list_hosted_zones()["HostedZones"]:
        keep = {("NS", zone["Name"]), ("SOA", zone["Name"])}
        found = client.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        gone = [
            {"Action": "DELETE", "ResourceRecordSet": one} for one in found if (one["Type"], one["Name"]) not in keep
        ]
        if gone:
            client.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": gone})
        client.delete_hosted_zone(Id=zone["Id"])


@pytest.fixture
def hosted(amazon):
    return amazon.create_hosted_zone(Name=ZONE, CallerReference="one")["HostedZone"]["Id"]


@pytest.fixture
def zone(hosted):
    return ManagedZone(Route53Access("AKEY", SecretStr("ASECRET")), ZONE)


def records(amazon, hosted) -> dict[tuple[str, str], list[str]]:
    found = amazon.list_resource_record_sets(HostedZoneId=hosted)["ResourceRecordSets"]
    return {
        (one["Name"], one["Type"]): [value["Value"] for value in one.get("ResourceRecords", ())]
        for one in found
        if one["Type"] not in {"NS", "SOA"}
    }


def put(amazon, hosted, **record) -> None:
    change = {"Action": "CREATE", "ResourceRecordSet": record}
    amazon.change_resource_record_sets(HostedZoneId=hosted, ChangeBatch={"Changes": [change]})


async def plan(zone, *, adopt=False):
    return plan_addresses(await zone.read(), HOST, (SERVER,), owner="us", ttl=300, adopt=adopt)


async def test_a_host_is_added_and_removed_and_nothing_else_changes(amazon, hosted, zone) -> None:
    put(amazon, hosted, Name="other.example.com", Type="A", TTL=60, ResourceRecords=[{"Value": "198.51.100.7"}])
    before = records(amazon, hosted)
    await zone.write(await plan(zone))
    assert records(amazon, hosted) == before | {
        ("app.example.com.", "A"): [SERVER],
        ("_coolify-flows.app.example.com.", "TXT"): ['"coolify-flows-owner=us,types=A"'],
    }
    assert (await plan(zone)).changes == ()
    await zone.write(plan_removal(await zone.read(), HOST, (SERVER,), owner="us"))
    assert records(amazon, hosted) == before


async def test_our_record_is_brought_back_and_a_foreign_one_is_not_touched(amazon, hosted, zone) -> None:
    put(amazon, hosted, Name=HOST, Type="A", TTL=60, ResourceRecords=[{"Value": "198.51.100.7"}])
    assert "A 198.51.100.7, which is not ours" in (await plan(zone)).refusals[0]
    await zone.write(await plan(zone, adopt=True))
    assert records(amazon, hosted)["app.example.com.", "A"] == [SERVER]


async def test_an_alias_of_amazon_is_left_alone(amazon, hosted, zone) -> None:
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net.", "EvaluateTargetHealth": False}
    put(amazon, hosted, Name=HOST, Type="A", AliasTarget=target)
    assert "has an alias of Route 53" in (await plan(zone, adopt=True)).refusals[0]


async def test_the_servers_of_the_zone_are_known(amazon, hosted, zone) -> None:
    told = amazon.get_hosted_zone(Id=hosted)["DelegationSet"]["NameServers"]
    assert (await zone.read()).servers == tuple(sorted(told))


async def test_a_private_zone_of_the_same_name_does_not_get_in_the_way(amazon, hosted, zone) -> None:
    amazon.create_hosted_zone(
        Name=ZONE,
        CallerReference="two",
        HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-1"},
    )
    await zone.write(await plan(zone))
    assert ("app.example.com.", "A") in records(amazon, hosted)


async def test_a_zone_that_is_not_there_is_told_and_never_created(amazon, hosted) -> None:
    missing = ManagedZone(Route53Access("AKEY", SecretStr("ASECRET")), "example.org")
    with pytest.raises(DnsProviderError, match=r"Route 53 has no zone example.org .* they see: example.com"):
        await missing.read()
    assert len(amazon.list_hosted_zones()["HostedZones"]) == 1


async def test_missing_keys_and_a_server_that_is_down_are_told(amazon, hosted, monkeypatch) -> None:
    with pytest.raises(DnsProviderError, match="There are no keys for Route 53"):
        await ManagedZone(Route53Access(), ZONE).read()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("coolify.dns_providers.route53._ATTEMPTS", 0)
    with pytest.raises(DnsProviderError, match="Route 53 cannot be reached"):
        await ManagedZone(Route53Access("AKEY", SecretStr("ASECRET")), ZONE).read()
