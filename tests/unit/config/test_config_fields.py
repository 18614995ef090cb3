"""The rules of single fields."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from coolify.config import Build, BuildPack, Domain, Network
from coolify.config.fields import AbsolutePath, HostName, ShellCommand, VariableName, check_project_name
from coolify.config.quantities import docker_cpus, docker_memory, parse_quantity

host_name = TypeAdapter(HostName)
command = TypeAdapter(ShellCommand)
path = TypeAdapter(AbsolutePath)
variable = TypeAdapter(VariableName)


@pytest.mark.parametrize(
    ("written", "docker"),
    [
        ("4Gi", "4g"),
        ("1500Mi", "1500m"),
        ("0.5Gi", "512m"),
        ("7Ki", "7k"),
        ("500M", "500000000b"),
        ("1073741824", "1g"),
        ("1G", "1000000000b"),
        (None, "0"),
    ],
)
def test_a_memory_quantity_becomes_dockers(written: str | None, docker: str) -> None:
    assert docker_memory(written) == docker


@pytest.mark.parametrize(
    ("written", "docker"), [("2", "2"), ("500m", "0.5"), ("0.25", "0.25"), ("10", "10"), ("1500m", "1.5"), (None, "0")]
)
def test_a_processor_quantity_becomes_dockers(written: str | None, docker: str) -> None:
    assert docker_cpus(written) == docker


@pytest.mark.parametrize("written", ["", "4GB", "4gi", "-1", "1e3Gi", "Gi", "1 Gi", "four"])
def test_a_text_that_is_no_quantity_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(written)


@given(st.integers(min_value=1, max_value=2**40))
def test_docker_gets_exactly_the_bytes_that_were_asked_for(size: int) -> None:
    text = docker_memory(str(size))
    assert int(text[:-1]) * {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[text[-1]] == size


@pytest.mark.parametrize(
    "text",
    [
        "npm ci && npm run build",
        "a || b",
        "python -c 'import os; print($x | y > z)'",
        'echo "two words"',
        "FOO=bar ./run --port=3000",
        """echo "it's" """,
    ],
)
def test_a_command_that_coolify_takes_is_allowed(text: str) -> None:
    assert command.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a; b", "`;` (character 2)"),
        ("a $HOME", "`$` (character 3)"),
        ("a `b`", "``` (character 3)"),
        ("a | b", "`|` (character 3)"),
        ("a & b", "`&` (character 3)"),
        ("a &&& b", "`&` (character 5)"),
        ("a > b", "`>`"),
        ("a < b", "`<`"),
        ('echo "$HOME"', "`$` (character 7)"),
        ("echo 'open", "quote ' (character 6) is not closed"),
        ("a\nb", "one line"),
    ],
)
def test_a_command_that_coolify_refuses_names_the_character(text: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        command.validate_python(text)
    assert says in caught.value.errors()[0]["msg"]


@given(st.text(alphabet=";$`|&<>'\" ab", max_size=30))
def test_an_accepted_command_has_no_forbidden_character_outside_single_quotes(text: str) -> None:
    try:
        command.validate_python(text)
    except ValidationError:
        return
    outside, quote = "", ""
    for character in text:
        if quote == "'":
            quote = "" if character == "'" else quote
            continue
        if character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        outside += character
    rest = outside.replace("&&", "").replace("||", "")
    assert not set(rest) & set(";$`|&<>")


@pytest.mark.parametrize(
    "host", ["app.example.com", "a-b.example", "localhost", "xn--bcher-kva.example", "1.2.3.4.sslip.io"]
)
def test_a_host_name_is_allowed(host: str) -> None:
    assert host_name.validate_python(host.upper() + ".") == host


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_international_name_is_brought_into_the_form_of_the_dns(written: str, host: str) -> None:
    assert host_name.validate_python(written) == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://x.com",
        "x.com/a",
        "x.com:80",
        "*.x.com",
        "-a.com",
        "a_b.com",
        "192.0.2.1",
        "a..b",
        "xn--0.example",
        "a" * 64 + ".com",
    ],
)
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(ValidationError):
        host_name.validate_python(host)


@pytest.mark.parametrize("text", ["/a b", "/a?b", "/a/../b", "a", "", "/a\n"])
def test_a_path_outside_the_rule_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        path.validate_python(text)


@pytest.mark.parametrize(
    ("name", "is_allowed"), [("A.b_1", True), ("_x", True), ("1A", False), ("A-B", False), ("", False), ("A\n", False)]
)
def test_a_variables_name_follows_coolifys_rule(name: str, is_allowed: bool) -> None:
    try:
        variable.validate_python(name)
    except ValidationError:
        assert not is_allowed
    else:
        assert is_allowed


@pytest.mark.parametrize(
    ("written", "exposed"),
    [
        ({}, "3000"),
        ({"pack": "railpack"}, "3000"),
        ({"pack": "static"}, "80"),
        ({"port": 8080}, "8080"),
        ({"ports": [8080, 9090]}, "8080,9090"),
        ({"ports": 8080}, "8080"),
    ],
)
def test_exposed_ports_follow_the_build_pack_unless_given(written: dict[str, object], exposed: str) -> None:
    assert Build.model_validate(written).ports_exposes == exposed
    assert Build().pack is BuildPack.NIXPACKS


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ({"primary": "app.example.com"}, "https://app.example.com"),
        ({"primary": "app.example.com", "ssl": False}, "http://app.example.com"),
        ({"api": "example.com", "path": "/v1/"}, "https://example.com/v1"),
    ],
)
def test_a_domain_knows_its_url(written: dict[str, object], url: str) -> None:
    assert Domain.model_validate(written).url == url


@pytest.mark.parametrize(
    ("written", "address", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("127.0.0.1:5353", "127.0.0.1", 5353),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("[2001:db8::53]", "2001:db8::53", 53),
    ],
)
def test_a_resolver_is_an_address_with_an_optional_port(written: str, address: str, port: int) -> None:
    (resolver,) = Network.model_validate({"resolvers": [written]}).resolvers
    assert (resolver.address, resolver.port) == (address, port)


@pytest.mark.parametrize(("name", "word"), [("e", "at least 3"), ("shop;", "';'"), ("a\tb", "'\\t'")])
def test_a_project_name_that_coolify_refuses_is_refused_before(name: str, word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        check_project_name(name)


@pytest.mark.parametrize("name", ["abc", "Läden & more", "team/shop:1"])
def test_a_project_name_that_coolify_takes_is_taken(name: str) -> None:
    assert check_project_name(name) == name
