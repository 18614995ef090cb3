import os
import stat
import subprocess
from pathlib import Path

import pytest

from coolify.source import GitError, GitMissingError, resolve_commit
from coolify.source.git import without_credentials


def git(directory: Path, *arguments: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env={**os.environ, **identity}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=first")
    git(tmp_path, "branch", "feature/main")
    return tmp_path


async def test_the_commit_of_a_branch_is_what_git_says(repository: Path) -> None:
    head = await resolve_commit(str(repository), "main")
    assert head.commit == git(repository, "rev-parse", "main")


async def test_a_branch_is_matched_whole_and_not_by_its_ending(repository: Path) -> None:
    git(repository, "branch", "--move", "main", "trunk")
    with pytest.raises(GitError, match=r"has no branch 'main': correct source\.branch"):
        await resolve_commit(str(repository), "main")


async def test_a_repository_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"cannot be read: .*source\.repository") as failure:
        await resolve_commit(str(tmp_path / "nothing"), "main")
    assert "\n" not in str(failure.value)


async def test_without_git_the_operator_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError, match="apt-get install git"):
        await resolve_commit("https://git.example.com/shop.git", "main")


async def test_a_silent_remote_ends_in_time_and_takes_its_process_along(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    witness = tmp_path / "pid"
    fake = tmp_path / "git"
    fake.write_text(f"#!/bin/sh\necho $$ > {witness}\nexec sleep 60\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GitError, match="did not answer within"):
        await resolve_commit("https://git.example.com/shop.git", "main", timeout_seconds=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(witness.read_text()), 0)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:geheim@git.example.com/a.git", "https://git.example.com/a.git"),
        ("https://geheim@git.example.com:8443/a.git", "https://git.example.com:8443/a.git"),
        ("git@git.example.com:org/a.git", "git@git.example.com:org/a.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
    ],
)
def test_credentials_of_an_address_are_never_shown(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


async def test_credentials_do_not_slip_into_the_error(tmp_path: Path) -> None:
    with pytest.raises(GitError) as failure:
        await resolve_commit("http://user:geheim@127.0.0.1:1/a.git", "main", timeout_seconds=10)
    assert "geheim" not in str(failure.value)
