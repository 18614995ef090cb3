"""Contexts: the Coolify instances that a person works with, and where the token of each is kept.

A context is named; its file holds no secret. Tokens are kept by the operating system's keyring, by the environment, by
a command, or, when somebody insists, in a file of their own.
"""

from coolify.contexts.connection import CONTEXT_VARIABLE, Connection, connection_for, context_for
from coolify.contexts.model import Context, TokenStorage
from coolify.contexts.store import ContextError, ContextStore, config_home
from coolify.contexts.tokens import forget_token, has_keyring, keep_token, token_source

__all__ = [
    "CONTEXT_VARIABLE",
    "Connection",
    "Context",
    "ContextError",
    "ContextStore",
    "TokenStorage",
    "config_home",
    "connection_for",
    "context_for",
    "forget_token",
    "has_keyring",
    "keep_token",
    "token_source",
]
