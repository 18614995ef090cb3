"""What operators read in the Prefect UI: names of task runs, and the texts of forms."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.tasks import Task

import flows
import tasks
from deployments.declared import DeclaredDeployment, read_declarations
from deployments.deploying import form_of


def every_task() -> Iterator[Task[..., Any]]:
    for package in (tasks, flows):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield from (one for one in vars(importlib.import_module(module.name)).values() if isinstance(one, Task))


def fields(schema: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a form, those of nested models too."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties.items()
        for one in schema.values():
            yield from fields(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from fields(one)


def test_task_runs_have_names_without_the_random_letters_that_prefect_appends() -> None:
    found = list(every_task())
    assert len(found) > 50
    assert not {one.name for one in found if one.task_run_name is None}


@pytest.mark.parametrize("declared", read_declarations(), ids=lambda one: one.name)
def test_forms_explain_every_field_in_plain_words(declared: DeclaredDeployment) -> None:
    form = form_of(declared)
    titles = [one["title"] for one in form["properties"].values()]
    assert titles
    assert all(title[0].isupper() and "_" not in title for title in titles)
    # A nested model is explained by its own description.
    unexplained = [name for name, one in fields(form) if not one.get("description") and "$ref" not in one]
    assert not unexplained
    models = form["definitions"].values()
    assert all(one.get("description") or "enum" in one for one in models)
    # One of Prefect's two UIs shows Markdown as it is typed.
    texts = [one.get("description") or "" for one in (*(field for _, field in fields(form)), *models)]
    assert not [text for text in texts if "`" in text]
