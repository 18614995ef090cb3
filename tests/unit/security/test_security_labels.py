"""Our labels among Coolify's: added, replaced and removed, and nothing else touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coolify.api import Application
from coolify.config import Security
from coolify.security import (
    Credential,
    LabelsHiddenError,
    ProxyKind,
    SecurityUnsupportedError,
    WantedSecurity,
    plan_labels,
    secured_labels,
)
from coolify_sandbox.server.labels import generated_labels

UUID = "ajmrann7kwrp6lae799gl0nc"
BCRYPT = "$2y$10$35ag5eNkasU4q9XA/uZcV..FeVA7Iy4T2q5DkirtVT3t8HghoQYye"
FULL = {
    "headers": {
        "hsts": {"max_age": 63072000, "subdomains": True, "preload": True},
        "content_security_policy": "default-src 'self'",
        "frame_options": "sameorigin",
        "nosniff": True,
        "custom": {"X-Powered-By": "", "Cross-Origin-Opener-Policy": "same-origin"},
    },
    "cors": {"origins": ["https://a.test"], "methods": ["GET", "PUT"], "credentials": True},
    "rate_limit": {"average": 100, "burst": 50, "period": 60},
    "allow_list": ["10.0.0.0/8", "192.0.2.7"],
    "max_body": "1Mi",
    "basic_auth": {"users": [{"name": "alice", "hash": "${HASH}"}]},
}
PLAIN_FOR_CADDY = {"headers": FULL["headers"], "max_body": "1Mi"}


def wanted(**section: object) -> WantedSecurity:
    made = Security.model_validate(section)
    users = made.basic_auth.users if made.basic_auth else ()
    return WantedSecurity(made, tuple(Credential(user.name, None, SecretStr(BCRYPT)) for user in users))


def labels_of(domains: str = "https://one.example.com", **settings: object) -> str:
    attributes = {"fqdn": domains, "ports_exposes": "3000"} | settings
    return generated_labels(UUID, attributes, settings)


def application(**fields: object) -> Application:
    raw = {"uuid": UUID, "name": "shop", "fqdn": "https://one.example.com", "custom_labels": labels_of()} | fields
    raw.setdefault("destination", {"server": {"proxy": {"type": "TRAEFIK"}}})
    given_ = {name: value for name, value in raw.items() if value != "hidden"}
    return Application.model_validate(given_ | {"raw": given_})


def secure(labels: str, one: WantedSecurity, proxy: ProxyKind = ProxyKind.TRAEFIK, **more: bool) -> str:
    return secured_labels(labels, one, proxy, UUID, **more)


def test_every_router_gets_our_middlewares_around_coolifys() -> None:
    lines = secure(labels_of(), wanted(**FULL)).split("\n")
    ours = ",".join(f"flows-{UUID}-{part}" for part in ("headers", "allow", "limit", "body"))
    auth = f"flows-{UUID}-auth"
    routers = [line for line in lines if ".middlewares=" in line]
    assert routers == [
        f"traefik.http.routers.http-0-{UUID}.middlewares={ours},redirect-to-https,{auth}",
        f"traefik.http.routers.https-0-{UUID}.middlewares={ours},gzip,{auth}",
    ]


def test_middlewares_are_defined_in_traefiks_words() -> None:
    before = labels_of().split("\n")
    added = [line for line in secure(labels_of(), wanted(**FULL)).split("\n") if line not in before]
    prefix = f"traefik.http.middlewares.flows-{UUID}-"
    assert [line.removeprefix(prefix) for line in added if line.startswith(prefix)] == [
        "allow.ipallowlist.sourcerange=10.0.0.0/8,192.0.2.7/32",
        f"auth.basicauth.users=alice:{BCRYPT}",
        "body.buffering.maxRequestBodyBytes=1048576",
        "headers.headers.accessControlAllowCredentials=true",
        "headers.headers.accessControlAllowMethods=GET,PUT",
        "headers.headers.accessControlAllowOriginList=https://a.test",
        "headers.headers.accessControlMaxAge=600",
        "headers.headers.addVaryHeader=true",
        "headers.headers.contentSecurityPolicy=default-src 'self'",
        "headers.headers.contentTypeNosniff=true",
        "headers.headers.customFrameOptionsValue=SAMEORIGIN",
        "headers.headers.customResponseHeaders.Cross-Origin-Opener-Policy=same-origin",
        "headers.headers.customResponseHeaders.X-Powered-By=",
        "headers.headers.stsIncludeSubdomains=true",
        "headers.headers.stsPreload=true",
        "headers.headers.stsSeconds=63072000",
        "limit.ratelimit.average=100",
        "limit.ratelimit.burst=50",
        "limit.ratelimit.period=60s",
    ]


def test_a_router_without_middlewares_gets_a_line_for_ours() -> None:
    bare = labels_of("http://one.example.com", is_gzip_enabled=False)
    assert ".middlewares=" not in bare
    secured = secure(bare, wanted(max_body=10))
    assert f"traefik.http.routers.http-0-{UUID}.middlewares=flows-{UUID}-body" in secured.split("\n")
    assert secure(secured, wanted()) == bare


def test_dollars_are_doubled_only_where_coolify_does_not_do_it() -> None:
    one = wanted(basic_auth=FULL["basic_auth"])
    assert f"alice:{BCRYPT}" in secure(labels_of(), one)
    assert f"alice:{BCRYPT.replace('$', '$$')}" in secure(labels_of(), one, escaped=False)


def test_hsts_that_makes_browsers_forget_is_sent_although_traefik_takes_zero_for_none() -> None:
    secured = secure(labels_of(), wanted(headers={"hsts": {"max_age": 0}}))
    assert "customResponseHeaders.Strict-Transport-Security=max-age=0" in secured
    assert "stsSeconds" not in secured


def test_labels_without_a_router_stay_as_they_are() -> None:
    assert secure("", wanted(**FULL)) == ""
    assert secure("mine=1", wanted(**FULL)) == "mine=1"


def test_caddy_gets_a_directive_of_its_own_for_every_site() -> None:
    labels = labels_of("https://one.example.com,https://two.example.com")
    added = [
        one for one in secure(labels, wanted(**PLAIN_FOR_CADDY), ProxyKind.CADDY).split("\n")
        if one not in labels.split("\n")
    ]  # fmt: skip
    assert [one for one in added if one.startswith("caddy_0")] == [
        "caddy_0.9870_header.-X-Powered-By=",
        "caddy_0.9870_header.Content-Security-Policy=\"default-src 'self'\"",
        'caddy_0.9870_header.Cross-Origin-Opener-Policy="same-origin"',
        'caddy_0.9870_header.Strict-Transport-Security="max-age=63072000; includeSubDomains; preload"',
        'caddy_0.9870_header.X-Content-Type-Options="nosniff"',
        'caddy_0.9870_header.X-Frame-Options="SAMEORIGIN"',
        "caddy_0.9870_header.defer=",
        "caddy_0.9870_request_body.max_size=1048576",
    ]
    assert len([one for one in added if one.startswith("caddy_1")]) == 8
    assert not [one for one in added if one.startswith("traefik")]


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"cors": FULL["cors"]}, "CORS"),
        ({"rate_limit": FULL["rate_limit"]}, "rate limits"),
        ({"allow_list": FULL["allow_list"]}, "an allow list"),
        ({"basic_auth": FULL["basic_auth"]}, "users with hashes"),
        ({"headers": {"custom": {"X-A": "{b}"}}}, "braces"),
    ],
)
def test_what_caddy_cannot_be_told_is_refused_by_name(section: dict[str, object], named: str) -> None:
    with pytest.raises(SecurityUnsupportedError, match=named):
        secure(labels_of(), wanted(**section), ProxyKind.CADDY)


def test_a_server_without_a_proxy_is_refused_only_when_something_is_wanted() -> None:
    with pytest.raises(SecurityUnsupportedError, match="no proxy"):
        secure(labels_of(), wanted(**FULL), ProxyKind.NONE)
    assert secure(labels_of(), wanted(), ProxyKind.NONE) == labels_of()


def test_labels_that_are_hidden_are_refused_with_the_ability_that_shows_them() -> None:
    with pytest.raises(LabelsHiddenError, match="read:sensitive"):
        plan_labels(application(custom_labels="hidden"), wanted(**FULL))
    assert not plan_labels(application(custom_labels="hidden"), wanted()).is_change


def test_a_compose_application_is_refused() -> None:
    with pytest.raises(SecurityUnsupportedError, match="compose file"):
        plan_labels(application(build_pack="dockercompose"), wanted(**FULL))


def test_the_plan_says_what_is_there_and_what_is_wanted_without_values() -> None:
    plan = plan_labels(application(), wanted(**FULL))
    assert (plan.is_change, plan.before) == (True, "nothing")
    assert plan.after == "headers, allow list, rate limit, body size, basic auth"
    done = plan_labels(application(custom_labels=plan.labels), wanted(**FULL))
    assert (done.is_change, done.labels, done.is_ours) == (False, None, True)
    less = plan_labels(application(custom_labels=plan.labels), wanted(max_body=1))
    assert (less.is_change, less.before, less.after) == (True, plan.after, "body size")
    gone = plan_labels(application(custom_labels=plan.labels), wanted())
    assert (gone.labels, gone.after) == (labels_of(), "nothing")


def test_nothing_of_ours_is_no_part_of_the_plan() -> None:
    plan = plan_labels(application(), wanted())
    assert not plan.is_ours
    assert not plan.is_change


def test_domains_without_labels_have_to_be_generated_first() -> None:
    plan = plan_labels(application(custom_labels=None), wanted(**FULL))
    assert plan.lacks_routes
    assert plan.is_change
    assert not plan_labels(application(custom_labels="", fqdn=None), wanted(**FULL)).is_change


def test_a_change_of_domains_means_that_labels_are_written_again() -> None:
    there = application(custom_labels=secure(labels_of(), wanted(**FULL)))
    assert plan_labels(there, wanted(**FULL), regenerated=True).is_change


sections = st.fixed_dictionaries(
    {},
    optional={
        "headers": st.fixed_dictionaries(
            {},
            optional={
                "nosniff": st.booleans(),
                "frame_options": st.sampled_from(["deny", "sameorigin"]),
                "hsts": st.fixed_dictionaries({"max_age": st.integers(0, 10**8)}),
                "custom": st.dictionaries(
                    st.from_regex(r"\AX-[A-Za-z]{1,8}\Z"), st.from_regex(r"\A[a-z=;$']{0,12}\Z"), max_size=2
                ).filter(lambda custom: len({name.lower() for name in custom}) == len(custom)),
            },
        ),
        "cors": st.fixed_dictionaries({"origins": st.just(["https://a.test"])}),
        "rate_limit": st.fixed_dictionaries({"average": st.integers(1, 1000)}),
        "allow_list": st.lists(st.sampled_from(["10.0.0.0/8", "192.0.2.7"]), max_size=2),
        "max_body": st.integers(1, 10**9),
        "basic_auth": st.sampled_from([FULL["basic_auth"], {"enabled": False}]),
    },
)
caddy_sections = sections.map(lambda one: {key: one[key] for key in ("headers", "max_body") if key in one})
foreign = st.lists(
    st.from_regex(r"\A(mine|traefik\.http\.middlewares\.other\.x|traefik\.tcp\.routers\.t\.rule)=[a-z,]{0,6}\Z"),
    max_size=3,
)
domains = st.lists(
    st.sampled_from(["https://a.test", "http://b.test", "https://c.test/api", "http://d.test:8080"]), unique=True
).map(",".join)
settings_ = st.fixed_dictionaries(
    {
        "is_gzip_enabled": st.booleans(),
        "is_force_https_enabled": st.booleans(),
        "redirect": st.sampled_from(["both", "www"]),
    }
)


@st.composite
def generated(draw: st.DrawFn) -> str:
    lines = labels_of(draw(domains), **draw(settings_)).split("\n")
    for line in draw(foreign):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "\n".join(lines)


@given(generated(), sections, sections)
def test_traefik_twice_is_once_and_the_last_one_counts(labels: str, first: dict, second: dict) -> None:
    once = secure(labels, wanted(**first))
    assert secure(once, wanted(**first)) == once
    assert secure(once, wanted(**second)) == secure(labels, wanted(**second))
    assert secure(once, wanted()) == labels


@given(generated(), sections)
def test_foreign_lines_stay_in_their_order_and_keep_their_middlewares(labels: str, section: dict) -> None:
    mark = f"flows-{UUID}-"
    kept = []
    for line in secure(labels, wanted(**section)).split("\n"):
        if line.startswith(f"traefik.http.middlewares.{mark}"):
            continue
        key, _, value = line.partition("=")
        if key.endswith(".middlewares"):
            others = [name for name in value.split(",") if not name.startswith(mark)]
            if not others:
                continue
            line = f"{key}={','.join(others)}"  # noqa: PLW2901
        kept.append(line)
    assert kept == labels.split("\n")


@given(generated(), sections)
def test_every_middleware_that_is_attached_is_defined_and_the_other_way_round(labels: str, section: dict) -> None:
    lines = secure(labels, wanted(**section)).split("\n")
    mark = f"flows-{UUID}-"
    defined = {line.split(".")[3] for line in lines if line.startswith(f"traefik.http.middlewares.{mark}")}
    routers = {line.split(".")[3] for line in lines if line.startswith("traefik.http.routers.")}
    attached = {
        line.split(".")[3]: {name for name in line.partition("=")[2].split(",") if name.startswith(mark)}
        for line in lines
        if line.startswith("traefik.http.routers.") and ".middlewares=" in line
    }
    for router in routers:
        assert attached.get(router, set()) == defined


@given(generated(), caddy_sections, caddy_sections)
def test_caddy_twice_is_once_and_nothing_else_is_touched(labels: str, first: dict, second: dict) -> None:
    once = secure(labels, wanted(**first), ProxyKind.CADDY)
    assert secure(once, wanted(**first), ProxyKind.CADDY) == once
    assert secure(once, wanted(**second), ProxyKind.CADDY) == secure(labels, wanted(**second), ProxyKind.CADDY)
    assert [line for line in once.split("\n") if ".9870_" not in line] == labels.split("\n")


@given(generated(), sections)
def test_a_change_of_the_proxy_takes_the_other_ones_labels_away(labels: str, section: dict) -> None:
    once = secure(labels, wanted(**section))
    assert secure(once, wanted(max_body=1), ProxyKind.CADDY) == secure(labels, wanted(max_body=1), ProxyKind.CADDY)
