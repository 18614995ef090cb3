"""Fixtures of tests about what stands on a Prefect server."""

from tests.integration.command.conftest import coolify, home  # noqa: F401 - fixtures
