"""In which order the applications of a set are released."""

import pytest

from coolify.release_set import MembersError, SetOrderError

POSTGRES = {"main": {"engine": "postgresql"}}
TABLES = {"main": {"engine": "postgresql", "schema": {"commands": ["migrate"]}}}


def requires(*names: str) -> dict[str, list[str]]:
    return {"requires": list(names)}


def test_what_requires_nothing_of_the_set_is_released_at_once_in_the_order_of_the_file(folder) -> None:
    folder.application("b", release=requires("elsewhere"))
    folder.application("a")
    folder.set("services/b", "services/a")
    assert folder.stages() == [("b", "a")]


def test_an_application_waits_for_what_it_requires(folder) -> None:
    folder.application("api", release=requires("auth"))
    folder.application("auth")
    folder.application("web", release=requires("api", "auth"))
    folder.application("worker", release=requires("auth"))
    assert folder.stages() == [("auth",), ("api", "worker"), ("web",)]


def test_an_application_of_another_environment_is_not_waited_for(folder) -> None:
    folder.application("api", environment="staging")
    folder.application("web", release=requires("api"))
    assert folder.stages() == [("api", "web")]


def test_a_circle_is_refused_with_its_names(folder) -> None:
    folder.application("api", release=requires("web"))
    folder.application("web", release=requires("worker"))
    folder.application("worker", release=requires("api"))
    with pytest.raises(SetOrderError) as refused:
        folder.plan()
    for edge in ("api waits for web", "web waits for worker", "worker waits for api"):
        assert edge in str(refused.value)


def test_an_application_that_requires_itself_is_a_circle(folder) -> None:
    folder.application("api", release=requires("api"))
    with pytest.raises(SetOrderError, match="api waits for api"):
        folder.plan()


def test_who_makes_the_tables_of_a_shared_database_goes_first(folder) -> None:
    folder.application("api", databases=POSTGRES)
    folder.application("jobs", databases=POSTGRES)
    folder.application("migrations", databases=TABLES)
    assert folder.stages() == [("migrations",), ("api", "jobs")]


def test_where_nobody_makes_tables_the_first_creates_the_database(folder) -> None:
    folder.application("api", databases=POSTGRES)
    folder.application("jobs", databases=POSTGRES)
    folder.application("other", databases={"other": {"engine": "redis"}})
    assert folder.stages() == [("api", "other"), ("jobs",)]


def test_a_shared_database_makes_no_circle_of_an_order_that_there_is(folder) -> None:
    folder.application("api", databases=POSTGRES, release=requires("jobs"))
    folder.application("jobs", databases=POSTGRES)
    assert folder.stages() == [("jobs",), ("api",)]


def test_several_that_make_tables_do_so_one_after_the_other(folder) -> None:
    folder.application("api", databases=TABLES)
    folder.application("jobs", databases=TABLES)
    assert folder.stages() == [("api",), ("jobs",)]


def test_a_canary_goes_first_and_alone(folder) -> None:
    for name in ("a", "b", "c"):
        folder.application(name)
    folder.set("services/*", strategy="canary", canary={"application": "b", "soak": 60})
    plan = folder.plan()
    assert [(one.applications, one.is_canary) for one in plan.stages] == [(("b",), True), (("a", "c"), False)]
    assert plan.soak_seconds == 60


def test_without_a_name_the_first_of_the_order_is_the_canary(folder) -> None:
    folder.application("api", release=requires("auth"))
    folder.application("auth")
    folder.application("web")
    assert folder.stages(strategy="canary") == [("auth",), ("api", "web")]


def test_a_server_can_be_the_canary_with_the_order_of_its_applications(folder) -> None:
    for place in ("eu", "us"):
        on = {"name": f"api-{place}", "server": place}
        folder.application(f"api-{place}", application=on)
        on = {"name": f"web-{place}", "server": place}
        folder.application(f"web-{place}", application=on, release=requires(f"api-{place}"))
    folder.set("services/*", strategy="canary", canary={"server": "us"})
    assert folder.stages() == [("api-us",), ("web-us",), ("api-eu",), ("web-eu",)]
    assert [one.is_canary for one in folder.plan().stages] == [True, True, False, False]


def test_a_canary_that_waits_for_the_rest_is_refused(folder) -> None:
    folder.application("api")
    folder.application("web", release=requires("api"))
    folder.set("services/*", strategy="canary", canary={"application": "web"})
    with pytest.raises(SetOrderError, match="The canary web waits for api, which comes after it"):
        folder.plan()


@pytest.mark.parametrize(
    ("canary", "told"),
    [
        ({"application": "wep"}, "The canary 'wep' is not in the set: did you mean `web`"),
        ({"server": "nowhere"}, "No application of the set is on the canary's server 'nowhere'"),
    ],
)
def test_a_canary_that_is_not_there_is_refused(folder, canary, told) -> None:
    folder.application("web")
    folder.set("services/*", strategy="canary", canary=canary)
    with pytest.raises(MembersError, match=told):
        folder.plan()


def test_what_waits_for_a_failure_is_known_also_indirectly(folder) -> None:
    folder.application("auth")
    folder.application("api", release=requires("auth"))
    folder.application("web", release=requires("api"))
    folder.application("worker")
    plan = folder.plan()
    assert plan.waits_for("web", frozenset({"auth"})) == "auth"
    assert plan.waits_for("worker", frozenset({"auth"})) is None
