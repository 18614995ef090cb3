"""Words for numbers."""

import pytest

from coolify.wording import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 domains"), (1, "1 domain"), (2, "2 domains"), (1000, "1000 domains")]
)
def test_one_is_singular_and_everything_else_is_plural(number, words) -> None:
    assert counted(number, "domain") == words
