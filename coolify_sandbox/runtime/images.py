"""Images of applications: a directory for each tag, with what is needed to run it again."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from coolify_sandbox.runtime.contract import Image

__all__ = ["BuiltImage", "ImageStore"]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """How to run an image."""

    command: str
    directory: str
    """Working directory, relative to the image's files."""
    environment: dict[str, str] = field(default_factory=dict)
    recipe: str = ""
    """What it was built by: another recipe means building again."""


class ImageStore:
    """Keeps images below `root/APPLICATION/TAG`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def files(self, application: str, tag: str) -> Path:
        """Return the directory with the image's files."""
        return self._path(application, tag) / "files"

    def find(self, application: str, tag: str) -> BuiltImage | None:
        """Return a complete image, None if there is none."""
        manifest = self._path(application, tag) / "image.json"
        return BuiltImage(**json.loads(manifest.read_text())) if manifest.exists() else None

    def begin(self, application: str, tag: str) -> Path:
        """Make room for a new image; an incomplete or older one with this tag goes."""
        path = self._path(application, tag)
        shutil.rmtree(path, ignore_errors=True)
        (path / "files").mkdir(parents=True)
        return path / "files"

    def commit(self, application: str, tag: str, image: BuiltImage) -> None:
        """Complete an image; without this it does not exist."""
        (self._path(application, tag) / "image.json").write_text(json.dumps(asdict(image)))

    def discard(self, application: str, tag: str) -> None:
        """Remove an image."""
        shutil.rmtree(self._path(application, tag), ignore_errors=True)

    def list(self, application: str, current: str | None) -> tuple[Image, ...]:
        """Return the complete images of an application, newest first."""
        manifests = (self._root / application).glob("*/image.json")
        newest_first = sorted(manifests, key=lambda path: path.stat().st_mtime, reverse=True)
        return tuple(
            Image(
                tag=path.parent.name,
                created_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
                is_current=path.parent.name == current,
            )
            for path in newest_first
        )

    def prune(self, application: str, current: str, keep: int) -> None:
        """Remove all but the current image and the newest `keep` others."""
        others = [image.tag for image in self.list(application, current) if not image.is_current]
        for tag in others[keep:]:
            self.discard(application, tag)

    def delete(self, application: str) -> None:
        """Remove all images of an application."""
        shutil.rmtree(self._root / application, ignore_errors=True)

    def _path(self, application: str, tag: str) -> Path:
        return self._root / application / tag.replace("/", "_")
