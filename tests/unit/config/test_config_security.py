"""The section `security`: what browsers and proxies would ignore or refuse is refused when it is written."""

from pathlib import Path

import pytest

from coolify.config import ConfigError, load_config
from coolify.config.model import Config

BASE = "server: https://coolify.example.com\nproject: {name: shop}\n"


def load(folder: Path, section: str) -> Config:
    file = folder / "config.yml"
    file.write_text(BASE + "security:\n" + "".join(f"  {line}\n" for line in section.splitlines()))
    return load_config(file)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("headers: {hsts: {preload: true, subdomains: true, max_age: 300}}", "`max_age` of at least 31536000"),
        ("headers: {hsts: {preload: true}}", "`preload` needs `subdomains: true`"),
        ("headers: {content_security_policy: default-source 'self'}", "did you mean `default-src`?"),
        ("headers: {content_security_policy: default-src self}", "write 'self' in single quotes"),
        ("headers: {content_security_policy: img-src a.test; img-src b.test}", "`img-src` stands twice"),
        ("headers: {content_security_policy: '  '}", "must not begin or end with a space"),
        ("headers: {content_security_policy: ';'}", "is empty"),
        ("headers: {frame_options: allowall}", "must be 'deny' or 'sameorigin'"),
        ("headers: {referrer_policy: strict-origins}", "did you mean `strict-origin`?"),
        ("headers: {permissions_policy: camera 'none'}", "as in `camera=()"),
        ("headers: {custom: {X-Frame-Options: DENY}}", "write `frame_options`"),
        ("headers: {custom: {Access-Control-Allow-Origin: '*'}}", "belongs in `security.cors`"),
        ("headers: {custom: {Content-Length: '5'}}", "is the proxy's own"),
        ("headers: {custom: {X-A: a, x-a: b}}", "names a header twice"),
        ("headers: {custom: {X.Y: a}}", "is not a header's name"),
        ('headers: {custom: {X-A: "a\\nX-B: b"}}', "must be one line"),
        ("headers: {custom: {X-A: naïve}}", "must be one line of ASCII"),
        ("cors: {origins: ['*'], credentials: true}", "name the sites"),
        ("cors: {origins: ['*', 'https://a.test']}", "keep it alone"),
        ("cors: {origins: ['https://a.test'], headers: ['*'], credentials: true}", "name the headers"),
        ("cors: {origins: ['https://a.test/']}", "without path"),
        ("cors: {origins: ['https://a.test:443']}", "must not name the port"),
        ("cors: {origins: ['https://*.a.test']}", "must not hold `*`"),
        ("cors: {origins: [a.test]}", "is not an origin"),
        ("cors: {origins: ['https://A.test']}", "lower case"),
        ("cors: {origins: []}", "must not be empty"),
        ("cors: {origins: ['https://a.test'], methods: [get]}", "is not a method"),
        ("rate_limit: {average: 0}", "must be at least 1"),
        ("rate_limit: {burst: 5}", "`average` is missing"),
        ("allow_list: [10.0.0.1/8]", "write 10.0.0.0/8"),
        ("allow_list: [office]", "is not an address or network"),
        ("allow_list: [0.0.0.0/0]", "allows everybody"),
        ("basic_auth: {enabled: true}", "needs `users`"),
        ("basic_auth: {users: [{name: a}]}", "needs `password`"),
        ("basic_auth: {users: [{name: a, password: hunter2}]}", "never the secret itself"),
        ("basic_auth: {users: [{name: a, password: '${P:-hunter2}'}]}", "never the secret itself"),
        ("basic_auth: {users: [{name: a, password: '${P}'}, {name: b, hash: '${H}'}]}", "each needs a `hash`"),
        ("basic_auth: {users: [{name: a, hash: '${P}'}, {name: a, hash: '${H}'}]}", "names somebody twice"),
        ("basic_auth: {users: [{name: 'a:b', hash: '${P}'}]}", "is not written as it must be"),
        ("max_body: 10MB", "is not a quantity"),
        ("ports: [0]", "must be at least 1"),
        ("rate-limit: {average: 1}", "did you mean `rate_limit`?"),
    ],
)
def test_what_protects_nobody_is_refused_and_said_so_with_its_line(section: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, section)
    assert told in str(refusal.value)
    assert "config.yml:4" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "section",
    [
        "headers: {hsts: {max_age: 63072000, subdomains: true, preload: true}}",
        "headers: {hsts: {max_age: 0}}",
        "headers: {content_security_policy: \"default-src 'self' https:; upgrade-insecure-requests\"}",
        "headers: {referrer_policy: 'no-referrer, strict-origin-when-cross-origin'}",
        "headers: {permissions_policy: 'camera=(), geolocation=(self \"https://a.test\"), fullscreen=*'}",
        "headers: {custom: {X-Robots-Tag: noindex, X-Powered-By: ''}}",
        "cors: {origins: ['*']}",
        "cors: {origins: ['http://localhost:5173'], credentials: true}",
        "allow_list: [10.0.0.0/8, 192.0.2.7, '2001:db8::/32']",
        "basic_auth: {users: [{name: a, hash: '${A}', password: '${B}'}, {name: b, hash: '${C}'}]}",
        "basic_auth: {enabled: false}",
        "max_body: 1048576",
    ],
)
def test_what_browsers_and_proxies_understand_is_accepted(section: str, tmp_path: Path) -> None:
    assert load(tmp_path, section).security


def test_expected_headers_are_what_visitors_see(tmp_path: Path) -> None:
    section = "headers: {hsts: {subdomains: true}, frame_options: sameorigin, nosniff: true, custom: {X-A: b}}"
    assert load(tmp_path, section).security.headers.expected() == {
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Frame-Options": "SAMEORIGIN",
        "X-Content-Type-Options": "nosniff",
        "X-A": "b",
    }


def test_nothing_is_declared_without_the_section(tmp_path: Path) -> None:
    assert not load(tmp_path, "ports: [22]").security.is_declared
    assert load(tmp_path, "max_body: 1Mi").security.is_declared
