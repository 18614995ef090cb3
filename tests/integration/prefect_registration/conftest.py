"""Fixtures of tests about what stands on a Prefect server."""

from tests.integration.command.conftest import home  # noqa: F401 - a fixture
