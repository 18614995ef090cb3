"""A private repository over real ssh: with its deploy key, and with nothing else."""

import stat
from pathlib import Path

import pytest

from coolify.source import GitError, GitPrivateError, parse_address
from coolify.source.access import key_environment
from coolify.source.connect import read_with_key
from coolify.source.deploy_key import generate_deploy_key
from coolify.source.tree import look_into
from coolify_sandbox.samples import SampleRepository

pytestmark = pytest.mark.component("sshd")


@pytest.fixture
def repository(git_server):
    made = SampleRepository(git_server.directory / "shop")
    made.head = made.commit("1.0.0")
    return made


@pytest.fixture
def known_hosts(tmp_path):
    return tmp_path / "settings" / "coolify" / "known_hosts"


async def test_a_deploy_key_that_the_host_knows_reads_the_branch(git_server, repository, known_hosts) -> None:
    key = generate_deploy_key("shop")
    git_server.allow(key.public)
    head = await read_with_key(parse_address(git_server.address), "main", key.private)
    assert head.commit == repository.head
    assert "127.0.0.1" in known_hosts.read_text()


async def test_a_key_that_the_host_does_not_know_is_told_apart_from_other_failures(git_server, repository) -> None:
    address = parse_address(git_server.address)
    git_server.allow(generate_deploy_key("another").public)
    with pytest.raises(GitPrivateError, match="It is private"):
        await read_with_key(address, "main", generate_deploy_key("shop").private)


async def test_a_branch_that_is_not_there_is_no_matter_of_keys(git_server, repository) -> None:
    key = generate_deploy_key("shop")
    git_server.allow(key.public)
    with pytest.raises(GitError, match="no branch 'release'") as failure:
        await read_with_key(parse_address(git_server.address), "release", key.private)
    assert not isinstance(failure.value, GitPrivateError)


async def test_a_host_whose_key_has_changed_is_refused(git_server, repository, known_hosts) -> None:
    key = generate_deploy_key("shop")
    git_server.allow(key.public)
    other = generate_deploy_key("host").public
    known_hosts.parent.mkdir(parents=True)
    known_hosts.write_text(f"[127.0.0.1]:{git_server.port} {other}\n")
    with pytest.raises(GitError, match="host's key is not the known one"):
        await read_with_key(parse_address(git_server.address), "main", key.private)


async def test_the_files_of_a_commit_are_read_over_ssh_without_a_working_copy(
    git_server, repository, known_hosts
) -> None:
    key = generate_deploy_key("shop")
    git_server.allow(key.public)
    address = parse_address(git_server.address)
    with key_environment(address, key.private, known_hosts) as environment:
        tree = await look_into(address.git, repository.head, ["VERSION", "missing"], environment=environment)
    assert tree.files == {"server.py", "VERSION"}
    assert dict(tree.texts) == {"VERSION": "1.0.0\n"}


async def test_the_key_lies_in_a_file_of_ones_own_and_only_as_long_as_it_is_needed(known_hosts) -> None:
    key = generate_deploy_key("shop")
    with key_environment(parse_address("git@git.example.com:2222/a/b"), key.private, known_hosts) as environment:
        command = environment["GIT_SSH_COMMAND"].split()
        file = Path(command[command.index("-i") + 1])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert command[command.index("-p") + 1] == "2222"
    assert not file.exists()
    assert "OPENSSH" not in environment["GIT_SSH_COMMAND"]


async def test_a_repository_of_this_machine_is_read_where_it_is(tmp_path) -> None:
    repository = SampleRepository(tmp_path / "local")
    first = repository.commit("1.0.0")
    repository.commit("2.0.0")
    for address in (str(repository.path), f"file://{repository.path}"):
        tree = await look_into(address, first, ["VERSION"])
        assert tree.texts["VERSION"] == "1.0.0\n"


async def test_a_commit_that_is_not_there_is_one_sentence(tmp_path) -> None:
    repository = SampleRepository(tmp_path / "local")
    repository.commit("1.0.0")
    with pytest.raises(GitError, match="ls-tree"):
        await look_into(str(repository.path), "0" * 40)
