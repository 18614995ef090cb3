"""What programs print is shown without secrets."""

import pytest

from coolify.config import load_config, resolve_variables
from coolify.redaction import Redaction, secrets_of

CONFIG = """
server: https://coolify.example.com
project: {name: shop}
env:
  GREETING: Hello
  DATABASE_URL: postgres://shop:${PASSWORD}@db/shop
  LICENSE: {from_file: license.txt}
security:
  basic_auth:
    users:
      - {name: visitor, password: "${VISITORS}"}
"""


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["hunter22"], "login with hunter22 and hunter22!", "login with [secret] and [secret]!"),
        (["abcd", "abcdefgh"], "abcdefgh", "[secret]"),
        (["first line\nsecond line"], "second line", "[secret]"),
        (["postgres://u:pa55word@db/x"], "the password is pa55word", "the password is [secret]"),
        (["7|" + "a" * 48], "a" * 48, "[secret]"),
        (["abc", ""], "abc stays: too short to be a secret", "abc stays: too short to be a secret"),
        ([], "unknown 3|" + "Z9" * 24, "unknown [secret]"),
        ([], "ghp_0123456789abcdefghijklmn", "[secret]"),
        ([], "git clone https://me:secret@host/x", "git clone https[secret]host/x"),
    ],
)
def test_secrets_are_masked_wherever_they_stand(secrets, text, shown) -> None:
    assert Redaction(secrets)(text) == shown


def test_what_the_file_says_in_clear_is_no_secret_and_what_it_refers_to_is_one(tmp_path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(CONFIG)
    (tmp_path / "license.txt").write_text("LICENSE-1234\n")
    environ = {
        "PASSWORD": "p4ssword",
        "COOLIFY_TOKEN": "1|tokentoken",
        "MONKEY": "banana",
        "VISITORS": "open-sesame",
        "PATH": "/usr/bin",
    }
    config = load_config(file)
    found = secrets_of(config, resolve_variables(config, environ), environ)
    assert set(found) == {"postgres://shop:p4ssword@db/shop", "LICENSE-1234", "p4ssword", "1|tokentoken", "open-sesame"}
