"""Debian's chromium, for what people see in a browser, and where pictures of it go."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

_PICTURES = os.environ.get("COOLIFY_FLOWS_PICTURES")

WANTED = _PICTURES is not None
"""Whether pictures for the documentation are to be taken, which takes time."""


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser until the context is left."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            # Root may not use the sandbox; the shared memory of containers is too small for it.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        try:
            yield browser
        finally:
            await browser.close()


async def keep(page: Page, name: str) -> None:
    """Keep what is on the screen for the documentation, where pictures are wanted."""
    if _PICTURES is None:
        return
    directory = Path(_PICTURES)
    directory.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=directory / f"{name}.png", animations="disabled")
