"""With which questions the earlier version is asked."""

from datetime import UTC, datetime
from pathlib import Path

from coolify.config import load_config
from coolify.release import Snapshot
from coolify.release.way_back import earlier_questions

CONFIG = load_config(
    Path(".coolify/config.yml"),
    text="""
server: https://coolify.example.com
project: {name: shop}
domains:
  - {primary: shop.example.com, ssl: true}
  - {new: new.example.com, ssl: true}
health: {path: /healthz, successes: 5}
""",
)


def snapshot(domains: str | None = None, **settings) -> Snapshot:
    return Snapshot(taken_at=datetime(2026, 11, 25, tzinfo=UTC), domains=domains, settings=settings)


def hosts(before: Snapshot) -> list[str]:
    return [one.host for one in earlier_questions(CONFIG, before).domains]


def test_a_domain_that_came_later_is_not_asked_for_the_earlier_version() -> None:
    assert hosts(snapshot("https://shop.example.com")) == ["shop.example.com"]
    assert hosts(snapshot("https://NEW.example.com/,https://shop.example.com")) == [
        "shop.example.com",
        "new.example.com",
    ]
    assert hosts(snapshot()) == []


def test_domains_of_the_services_of_a_compose_file_count_too() -> None:
    services = [{"name": "web", "domain": "https://new.example.com"}, {"name": "db", "domain": ""}]
    assert hosts(snapshot(docker_compose_domains=services)) == ["new.example.com"]


def test_the_earlier_version_is_asked_where_it_told_its_health() -> None:
    asked = earlier_questions(CONFIG, snapshot("https://shop.example.com", health_check_path="/up"))
    assert (asked.health.path, asked.health.successes) == ("/up", 5)
    assert earlier_questions(CONFIG, snapshot("https://shop.example.com")).health.path == "/healthz"
