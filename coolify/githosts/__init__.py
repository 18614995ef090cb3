"""APIs of Git hosts, as far as a deployment needs them: deploy keys and push webhooks of one repository.

One module a kind of host, behind one protocol; `ensure` brings about what is wanted and is the same for all of them.
"""

from coolify.githosts.choose import kind_of_host, open_git_host, token_names
from coolify.githosts.ensure import HookAction, decide_hook, ensure_hook, ensure_key, find_hook
from coolify.githosts.model import GitHost, GitHostError, Hook

__all__ = [
    "GitHost",
    "GitHostError",
    "Hook",
    "HookAction",
    "decide_hook",
    "ensure_hook",
    "ensure_key",
    "find_hook",
    "kind_of_host",
    "open_git_host",
    "token_names",
]
