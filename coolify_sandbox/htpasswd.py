"""Password hashes as proxies read them: bcrypt, MD5 as Apache writes it, SHA-1."""

from __future__ import annotations

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import secrets
import threading
from functools import lru_cache
from typing import Final

__all__ = ["hash_password", "is_password"]

_ALPHABET: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LOCK: Final = threading.Lock()


def hash_password(password: str) -> str:
    """Return a new hash: bcrypt as Coolify makes it where the system's libcrypt is there, else Apache's MD5."""
    salt = "".join(secrets.choice(_ALPHABET) for _ in range(21)) + secrets.choice(".Oeu")
    # Cost 4, the least there is: a sandbox protects nothing.
    return _crypt(password, f"$2y$04${salt}") or _apr1(password, salt[:8])


@lru_cache(maxsize=256)
def is_password(password: str, hashed: str) -> bool:
    """Return whether a hash is that of a password; False for kinds of hashes that this machine cannot read."""
    if hashed.startswith("{SHA}"):
        made = "{SHA}" + base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode()
    elif hashed.startswith("$apr1$"):
        made = _apr1(password, hashed.split("$")[2])
    else:
        made = _crypt(password, hashed)
    return bool(made) and hmac.compare_digest(made, hashed)


def _crypt(password: str, setting: str) -> str:
    """Hash with libcrypt; empty where it is missing or does not know the method."""
    name = ctypes.util.find_library("crypt")
    if name is None:
        return ""
    library = ctypes.CDLL(name)
    library.crypt.restype = ctypes.c_char_p
    with _LOCK:
        # crypt(3) answers in one static buffer.
        made = library.crypt(password.encode(), setting.encode())
    text = made.decode() if made else ""
    return "" if text.startswith("*") else str(text)


def _apr1(password: str, salt: str) -> str:
    """Hash as `apr_md5_encode` of the Apache Portable Runtime does, 1000 rounds."""
    word, grain = password.encode(), salt.encode()
    inner = hashlib.md5(word + grain + word, usedforsecurity=False).digest()
    mixed = word + b"$apr1$" + grain + (inner * (len(word) // 16 + 1))[: len(word)]
    length = len(word)
    while length:
        mixed += b"\0" if length & 1 else word[:1]
        length >>= 1
    digest = hashlib.md5(mixed, usedforsecurity=False).digest()
    for number in range(1000):
        block = word if number & 1 else digest
        block += grain if number % 3 else b""
        block += word if number % 7 else b""
        block += digest if number & 1 else word
        digest = hashlib.md5(block, usedforsecurity=False).digest()
    order = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
    text = ""
    for high, middle, low in order:
        value = digest[high] << 16 | digest[middle] << 8 | digest[low]
        text += "".join(_ALPHABET[value >> shift & 63] for shift in (0, 6, 12, 18))
    text += _ALPHABET[digest[11] & 63] + _ALPHABET[digest[11] >> 6]
    return f"$apr1${salt}${text}"
