"""`.coolify/config.yml`: models, loading with line numbers, references to secrets, comment-keeping writes.

One module a section. Nothing here talks to a server or changes anything but the file.
"""

from typing import TYPE_CHECKING

from coolify.lazily import exported_by

if TYPE_CHECKING:
    from coolify.config.exports import *  # noqa: F403
else:
    __getattr__ = exported_by(__name__)
