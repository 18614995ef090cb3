"""Connection to one Coolify instance."""

from __future__ import annotations

from pathlib import Path

from prefect.blocks.abstract import CredentialsBlock
from pydantic import Field, HttpUrl, SecretStr

from coolify.api import Access, CoolifyClient, StaticToken

__all__ = ["CoolifyServer"]


class CoolifyServer(CredentialsBlock):
    """Address and API token of one Coolify instance.

    The token is created in Coolify under Keys & Tokens; a release needs the permissions read, read:sensitive,
    write and deploy.

    Example:
        Load a stored connection:
        ```python
        from blocks import CoolifyServer

        server = CoolifyServer.load("BLOCK_NAME")
        client = server.get_client()
        ```
    """

    _block_type_name = "Coolify Server"
    _block_type_slug = "coolify-server"
    _documentation_url = HttpUrl("https://coolify.io/docs/api-reference/authorization")

    base_url: str = Field(
        title="Base URL",
        description="Address of Coolify without /api, for example https://coolify.example.com.",
    )
    token: SecretStr = Field(title="API token", description="API token from Keys & Tokens in Coolify.")
    ca_file: str = Field(
        default="",
        title="CA file",
        description="PEM file of a private certificate authority on the worker; empty for public ones.",
    )

    async def check(self) -> Access:
        """Return what the instance says of itself and of the token.

        Raises:
            CoolifyError: It cannot be reached, or refuses the token.
        """
        async with self.get_client() as client:
            return await client.access()

    def get_client(self) -> CoolifyClient:
        """Return a client for this instance; it opens its connections when it is entered."""
        return CoolifyClient(
            self.base_url,
            StaticToken(self.token),
            ca_file=Path(self.ca_file) if self.ca_file else None,
        )
