"""Blocks with the credentials of DNS providers."""

import pytest
from pydantic import SecretStr

from blocks import CloudflareDns, Rfc2136Dns, Route53Dns
from coolify.config.dns_records import DnsRecords
from coolify.dns_providers import CloudflareAccess, Rfc2136Access, Route53Access
from coolify.errors import OperatorError
from tasks.dns_records import open_zone

SECRET = "dmVyeS1zZWNyZXQ="
BLOCKS = {
    "cloudflare": (CloudflareDns(token=SecretStr(SECRET)), CloudflareAccess(SecretStr(SECRET))),
    "route53": (
        Route53Dns(access_key_id="AKEY", secret_access_key=SecretStr(SECRET), role_arn="arn:role"),
        Route53Access("AKEY", SecretStr(SECRET), "arn:role"),
    ),
    "rfc2136": (
        Rfc2136Dns(server="192.0.2.53", port=5353, key_name="updates", key_secret=SecretStr(SECRET)),
        Rfc2136Access("192.0.2.53", 5353, "updates", SecretStr(SECRET)),
    ),
}


@pytest.mark.parametrize(("block", "access"), BLOCKS.values(), ids=BLOCKS)
async def test_a_block_keeps_its_secret_and_opens_its_zone(in_prefect, block, access) -> None:
    await type(block).register_type_and_schema()
    await block.asave("test-dns", overwrite=True)
    loaded = await type(block).aload("test-dns")
    assert SECRET not in repr(loaded)
    zone = loaded.get_client("example.com")
    assert (zone.backend, zone.name) == (access, "example.com")
    assert SECRET not in repr(zone.backend)


async def test_a_configuration_names_the_block_with_its_credentials(in_prefect) -> None:
    await CloudflareDns(token=SecretStr(SECRET)).asave("shop-dns", overwrite=True)
    section = DnsRecords.model_validate({"zone": "example.com", "cloudflare": {"block": "shop-dns"}})
    assert (await open_zone(section)).backend == CloudflareAccess(SecretStr(SECRET))
    missing = DnsRecords.model_validate({"zone": "example.com", "route53": {"block": "nowhere"}})
    with pytest.raises(OperatorError, match="has no block 'nowhere' of the type Coolify Route 53 DNS"):
        await open_zone(missing)
