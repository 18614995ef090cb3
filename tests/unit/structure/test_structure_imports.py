"""The rules of the house that a machine can check."""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OUR_PACKAGES = {"coolify", "coolify_cli", "coolify_sandbox", "flows", "tasks", "blocks", "deployments"}


def modules_after(*arguments: str) -> set[str]:
    """Run Python with the arguments and return the names of all modules that it imported."""
    report = (
        "import sys, json, atexit; atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
    )
    code = report + "\n".join(arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


def library_modules() -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "coolify").rglob("*.py")
    )


def test_importing_the_whole_library_does_not_import_prefect() -> None:
    imported = modules_after(*(f"import {name}" for name in library_modules()))
    assert "coolify.api" in imported
    assert not {name for name in imported if name.partition(".")[0] == "prefect"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["release", "--help"], ["demo", "--help"]])
def test_help_and_version_do_not_import_prefect(arguments: list[str]) -> None:
    imported = modules_after(
        "import sys",
        f"sys.argv = ['coolify', *{arguments!r}]",
        "from coolify_cli.main import main",
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code",
    )
    assert "coolify_cli.main" in imported
    assert not {name for name in imported if name.partition(".")[0] in {"prefect", "flows", "tasks", "blocks"}}


@pytest.mark.parametrize("folder", ["flows", "tasks", "blocks"])
def test_no_module_is_named_like_the_standard_library_or_a_dependency(folder: str) -> None:
    # A path entrypoint puts the folder first on sys.path: such a file would hide the other one.
    taken = (set(sys.stdlib_module_names) | set(packages_distributions())) - OUR_PACKAGES
    names = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    assert names
    assert not names & taken


def test_no_module_outgrows_its_reader() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for package in OUR_PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert not {name: lines for name, lines in lengths.items() if lines > 450}


def test_the_lock_names_no_package_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "index-url" not in lock
