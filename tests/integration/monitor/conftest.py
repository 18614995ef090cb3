from tests.integration.command.conftest import coolify, home, released  # noqa: F401 - fixtures
