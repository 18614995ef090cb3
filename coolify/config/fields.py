"""The kinds of text that sections hold, each with its rule.

Messages never repeat the value: it may be a secret in the wrong place, and the line shows it anyway.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from coolify.hostnames import check_host_name

__all__ = [
    "AbsolutePath",
    "CoolifyId",
    "FilePath",
    "HostName",
    "ImageName",
    "Label",
    "Line",
    "Port",
    "PortMapping",
    "ProjectName",
    "Seconds",
    "ServerUrl",
    "ShellCommand",
    "VariableName",
    "VolumeName",
    "WebUrl",
    "check_project_name",
]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_IMAGE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]+(?=/))?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(@sha256:[0-9a-f]{64})?")
_PATH: Final = re.compile(r"/[A-Za-z0-9._~@+/%:=,-]*")
_FILE: Final = re.compile(r"/[A-Za-z0-9._~@+/-]*")
_MAPPING: Final = re.compile(r"(\d{1,5}):(\d{1,5})")
_VOLUME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SHORTEST_NAME: Final = 3
_NAME_CHARACTERS: Final = " -_./@&()#,:+"
_API_SUFFIX: Final = re.compile(r"/api(/v1)?$")


def _host_name(text: str) -> str:
    """Check a host name and bring it into the form of the DNS, `xn--` for other scripts."""
    if "://" in text or "/" in text:
        raise ValueError("write the host name alone, as in app.example.com, without https:// and path.")
    if ":" in text:
        raise ValueError("write the host name alone, without a port.")
    if "*" in text:
        raise ValueError("a wildcard is not supported: write each host name.")
    return check_host_name(text)


def _server_url(text: str) -> str:
    return _API_SUFFIX.sub("", _web_url(text)).rstrip("/")


def _web_url(text: str) -> str:
    try:
        url = urlsplit(text.strip())
        port_is_valid = url.port != 0
    except ValueError:
        port_is_valid = False
        url = urlsplit("")
    if not port_is_valid or url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("is not a URL: write it as in https://coolify.example.com.")
    if "@" in url.netloc:
        raise ValueError("must hold no user name or password: they would be readable in the file.")
    if url.query or url.fragment:
        raise ValueError("must hold no `?` or `#`.")
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"


def _absolute_path(text: str) -> str:
    return _checked_path(text, _PATH)


def _file_path(text: str) -> str:
    """Check a path as Coolify checks those of files and directories of a build: reference 2.2."""
    return _checked_path(text, _FILE)


def _checked_path(text: str, rule: re.Pattern[str]) -> str:
    if not text.startswith("/"):
        raise ValueError("must start with `/`.")
    if not rule.fullmatch(text):
        offending = next(character for character in text if not rule.fullmatch("/" + character))
        raise ValueError(f"must not hold {offending!r}.")
    if ".." in PurePosixPath(text).parts:
        raise ValueError("must not hold `..`.")
    return text


def _port_mapping(text: str) -> str:
    match = _MAPPING.fullmatch(text)
    if not match or not all(1 <= int(port) <= 65535 for port in match.groups()):
        raise ValueError("is not two ports, as in `8080:80`: the server's port, a colon, the container's port.")
    return text


def _volume_name(text: str) -> str:
    """Check the name of a volume: reference 2.5."""
    if not _VOLUME.fullmatch(text):
        raise ValueError("is not a volume's name: letters, digits, `.`, `_` and `-`, starting with a letter or digit.")
    return text


def _variable_name(text: str) -> str:
    """Check the name of a variable: reference 2.4."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError("is not a variable's name: letters, digits, `_` and `.`, not starting with a digit.")
    if len(text) > 255:
        raise ValueError("is longer than 255 characters.")
    return text


def _shell_command(text: str) -> str:
    """Check a command against the rule that the server has for it: reference 2.2."""
    quote, quote_at, index = "", 0, 0
    while index < len(text):
        character = text[index]
        doubled = character in "&|" and text[index : index + 2] == character * 2
        if character in "\r\n":
            raise ValueError("must be one line: join commands with `&&`.")
        if quote == "'":
            quote = "" if character == "'" else quote
        elif character in "'\"":
            if not quote:
                quote, quote_at = character, index
            elif quote == character:
                quote = ""
        elif doubled:
            index += 1
        elif character in ";$`|&<>\\":
            hint = f", `{character * 2}` is" if character in "&|" else ""
            raise ValueError(
                f"`{character}` (character {index + 1}) is not allowed outside single quotes{hint}: Coolify refuses "
                "such a command; put it into a script of the repository."
            )
        index += 1
    if quote:
        raise ValueError(f"the quote {quote} (character {quote_at + 1}) is not closed.")
    return text


def _image_name(text: str) -> str:
    if not _IMAGE.fullmatch(text):
        raise ValueError("is not an image name, as in ghcr.io/team/app; its tag belongs in `source.tag`.")
    return text


def _line(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty: write a value or remove the key.")
    if not text.isprintable():
        raise ValueError("must be one line of printable characters.")
    return text


def check_project_name(text: str) -> str:
    """Check a name as Coolify does for projects (reference 1.1), before anything is asked of a server."""
    if len(text) < _SHORTEST_NAME:
        raise ValueError(f"must have at least {_SHORTEST_NAME} characters, as Coolify demands.")
    if odd := next((one for one in text if not one.isalnum() and one not in _NAME_CHARACTERS), None):
        raise ValueError(f"must not contain {odd!r}: Coolify takes letters, digits, spaces and -_./@&()#,:+.")
    return text


Line = Annotated[str, Field(max_length=255), AfterValidator(_line)]
"""One line of text, at most 255 characters."""
ProjectName = Annotated[Line, AfterValidator(check_project_name)]
"""The name of a project."""
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=63)]
"""A short name, as of an environment or of a domain's entry."""
CoolifyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
"""Identifier that Coolify gave to an object (its `uuid`)."""
HostName = Annotated[str, AfterValidator(_host_name)]
"""A DNS host name, in lower case, without trailing dot."""
ServerUrl = Annotated[str, AfterValidator(_server_url)]
"""An http(s) URL without trailing slash and without `/api`."""
WebUrl = Annotated[str, AfterValidator(_web_url)]
"""An http(s) URL without trailing slash."""
AbsolutePath = Annotated[str, Field(max_length=1024), AfterValidator(_absolute_path)]
"""A path that starts with `/`."""
FilePath = Annotated[str, Field(max_length=255), AfterValidator(_file_path)]
"""A path inside of a repository or a container that starts with `/`."""
PortMapping = Annotated[str, AfterValidator(_port_mapping)]
"""Port of the server and port of the container, as in `8080:80`."""
VolumeName = Annotated[str, Field(max_length=128), AfterValidator(_volume_name)]
"""The name of a volume."""
VariableName = Annotated[str, AfterValidator(_variable_name)]
"""The name of an environment variable."""
ShellCommand = Annotated[str, Field(max_length=1000), AfterValidator(_shell_command)]
"""A command the server allows: `&&` and `||`; outside single quotes none of `;`, `$`, backtick, backslash, `|`, `&`,
`<`, `>`."""
ImageName = Annotated[str, AfterValidator(_image_name)]
"""A container image without tag, optionally with a digest."""
Port = Annotated[int, Field(ge=1, le=65535)]
"""A TCP or UDP port."""
Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
"""A duration in seconds."""
