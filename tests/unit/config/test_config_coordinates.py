"""Reading which application a configuration describes, without how it shall be."""

import importlib
from pathlib import Path

import pytest

from coolify.config import Config, ConfigError, Coordinates, load_config, load_coordinates

HEAD = "server: https://coolify.example.com\nproject: {name: shop}\n"
NETWORK = "network: {ca_file: ca.pem}\n"
OVERLAY = "environments:\n  staging:\n    server: https://staging.example.com\n    application: {name: shop-staging}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("environment", [None, "staging", "review-7"])
@pytest.mark.parametrize("text", [HEAD, HEAD + NETWORK + OVERLAY, HEAD + "environment: staging\n" + OVERLAY])
def test_coordinates_are_those_of_the_whole_configuration(tmp_path, text, environment) -> None:
    path = written(tmp_path, text)
    coordinates = load_coordinates(path, environment=environment)
    whole = load_config(path, environment=environment)
    assert type(coordinates) is Coordinates
    assert {name: getattr(whole, name) for name in Coordinates.model_fields} == dict(coordinates)
    assert (coordinates.application_name, coordinates.ca_path) == (whole.application_name, whole.ca_path)


def test_what_is_wrong_elsewhere_keeps_nobody_from_looking(tmp_path) -> None:
    path = written(tmp_path, HEAD + "health: {retries: many}\nbackups: {schedules: nightly}\nbuilds: {}\n")
    assert load_coordinates(path).project.name == "shop"
    with pytest.raises(ConfigError):
        load_config(path)


@pytest.mark.parametrize(
    "text",
    [
        "server: https://coolify.example.com\nprojct: {name: shop}\nhealth: {retries: many}\n",
        HEAD + "environment: {name: staging}\nhealth: {retries: many}\n",
        HEAD + "environments: [staging]\nhealth: {retries: many}\n",
        HEAD + "application: {nam: shop}\nhealth: {retries: many}\n",
    ],
)
def test_what_is_wrong_there_is_told_with_all_the_rest(tmp_path, text) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as whole:
        load_config(path)
    with pytest.raises(ConfigError) as refused:
        load_coordinates(path)
    assert refused.value.problems == whole.value.problems
    assert any("health" in one.path for one in refused.value.problems)


@pytest.mark.parametrize("package", ["coolify.config", "coolify.api"])
def test_a_package_exports_what_it_lists_and_nothing_else(package) -> None:
    exports = importlib.import_module(f"{package}.exports")
    module = importlib.import_module(package)
    assert all(getattr(module, name) is getattr(exports, name) for name in exports.__all__)
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'Confi'"):
        _ = module.Confi


def test_the_whole_configuration_has_the_coordinates_of_its_application() -> None:
    assert issubclass(Config, Coordinates)
