"""Components of the operating system that tests want, and how their absence is told."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REQUIRED = os.environ.get("COOLIFY_FLOWS_REQUIRE_COMPONENTS") == "1"
"""Set where a missing component is a failure, not a reason to skip."""

_missing: set[str] = set()

TABLES: pytest.StashKey[dict[str, list[str]]] = pytest.StashKey()
"""What tests want to be read at the end of the run, line by line, by title."""


def pytest_configure(config: pytest.Config) -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and so would every process of the tests: a worker of
    # Prefect, which ends itself by that signal, would never end.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # The sandbox starts hundreds of applications as `python3`. Where pyenv puts a script of its own there, which looks
    # for the version, each start costs twice as much.
    interpreters = Path(sys.base_prefix) / "bin"
    if shutil.which("python3", path=str(interpreters)) and ".pyenv" in interpreters.parts:
        os.environ["PATH"] = f"{interpreters}{os.pathsep}{os.environ.get('PATH', '')}"
    # Whether an example takes long is a matter of what else the machine does.
    settings.register_profile("busy machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy machine")
    config.stash[TABLES] = {}


@pytest.fixture
def table(request):
    """Add a line to a table that is printed at the end of the run."""

    def add(title: str, line: str) -> None:
        request.config.stash[TABLES].setdefault(title, []).append(line)

    return add


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("component"):
        for program in marker.args:
            # Servers of the system are not on everybody's path.
            if shutil.which(program) is None and shutil.which(program, path="/usr/sbin:/sbin") is None:
                _missing.add(program)
                message = f"'{program}' is not installed on this machine"
                if REQUIRED:
                    pytest.fail(message)
                pytest.skip(message)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = {"tables": session.config.stash[TABLES], "missing": sorted(_missing)}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Take over what the tests of another process have told."""
    told = getattr(node, "workeroutput", {}).get("told", {"tables": {}, "missing": ()})
    for title, lines in told["tables"].items():
        node.config.stash[TABLES].setdefault(title, []).extend(lines)
    _missing.update(told["missing"])


def pytest_terminal_summary(terminalreporter) -> None:
    for title, lines in terminalreporter.config.stash[TABLES].items():
        terminalreporter.write_sep("=", title)
        for line in sorted(lines):
            terminalreporter.write_line(line)
    if _missing:
        terminalreporter.write_sep("=", "missing components", yellow=True)
        terminalreporter.write_line(
            f"Tests that want {', '.join(sorted(_missing))} were skipped. "
            "Install what is missing to run them: .ci/run lists the packages."
        )
