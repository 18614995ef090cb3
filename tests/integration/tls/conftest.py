"""An authority for the gallery of servers."""

import pytest

from tests.integration.tls.issuing import Issuer


@pytest.fixture
def issuer(tmp_path) -> Issuer:
    return Issuer(tmp_path)
