"""Somebody who works in the Prefect UI, with a browser."""

import contextlib
import re
from urllib.parse import urlsplit
from uuid import UUID

from playwright.async_api import Page, Route, expect
from playwright.async_api import TimeoutError as WaitedInVain
from prefect import get_client

from tests import browser
from tests.e2e.installation import PATIENCE
from tests.e2e.prefect_runs import tasks_ended

_FROM_THE_TOP = """() => {
    document.activeElement?.blur();
    for (const one of document.querySelectorAll("*")) one.scrollTop = 0;
}"""

expect.set_options(timeout=60_000)


class Operator:
    """What an operator does and sees: texts and buttons, never the API (but for the moment of a picture).

    Args:
        page: The browser's page.
        url: Address of the installation, as `coolify server up` tells it.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.strangers: set[str] = set()
        """Hosts beside the installation's own that the pages have asked."""

    async def go_to(self, name: str) -> None:
        """Follow a link of the navigation."""
        await self.page.get_by_role("link", name=name, exact=True).first.click()

    async def open_deployment(self, name: str) -> None:
        await self.go_to("Deployments")
        await self.page.get_by_placeholder("Search deployments").fill(name)
        rows = self.page.get_by_role("row")
        # Only the head is left of what has another name: until then the rows are about to be replaced.
        await expect(rows.filter(has_not_text=name)).to_have_count(1)
        # The name of the deployment stands above that of its flow.
        await rows.get_by_role("link", name=name, exact=True).first.click()
        await self.sees("Work Queue")

    async def open_form(self) -> None:
        """Open the form of the deployment that is open."""
        await self.page.get_by_role("button", name="Run", exact=True).click()
        await self.page.get_by_role("menuitem", name="Custom run").click()

    async def choose_application(self, block: str) -> None:
        """Choose a saved application in a form."""
        await self.page.get_by_role("tab", name="Application", exact=True).first.click()
        await self.page.get_by_role("button", name="Select a block").first.click()
        await self.choose(block)

    async def fill(self, label: str, text: str) -> None:
        await self.page.get_by_label(re.compile(rf"^{re.escape(label)}( \(Optional\))?$")).fill(text)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def submit(self, name: str, sends: str) -> None:
        """Send a form; a click in the moment in which the form takes over the last change is lost, and made again.

        Args:
            name: The button.
            sends: Part of the address that the browser is to send it to.
        """
        for _ in range(6):
            with contextlib.suppress(WaitedInVain):
                async with self.page.expect_request(
                    lambda one: one.method != "GET" and sends in one.url, timeout=10_000
                ):
                    await self.press(name)
                return
        raise AssertionError(f"{name!r} sends nothing")

    async def open_tab(self, name: str) -> None:
        await self.page.get_by_role("tab", name=name, exact=True).click()

    async def choose_in_menu(self, name: str) -> None:
        """Choose in the menu at the top of a page."""
        await self.page.get_by_role("button", name="Open menu").first.click()
        await self.page.get_by_role("menuitem", name=name).click()

    async def set_schedule(self, name: str, block: str) -> None:
        """Switch the deployment's only schedule on, for a saved application.

        The form loads what is saved while it is already open, and takes back what was changed before: then once more.
        """
        shown = self.page.get_by_role("switch", name=f"toggle {name}")
        for _ in range(3):
            await self.page.get_by_role("complementary").get_by_role("button", name="Open menu").first.click()
            await self.page.get_by_role("menuitem", name="Edit").click()
            await self.choose_application(block)
            await self.page.get_by_role("switch", name="Active").check()
            await self.submit("Save", "/schedules")
            with contextlib.suppress(AssertionError):
                return await expect(shown).to_be_checked(timeout=20_000)
        raise AssertionError(f"{name!r} stays switched off")

    async def choose(self, option: str) -> None:
        await self.page.get_by_role("option", name=option, exact=True).click()

    async def sees_options(self, *options: str) -> None:
        """Look at a list that is open: it has these and no others."""
        await expect(self.page.get_by_role("option")).to_have_text(list(options))

    async def open_report(self, key: str, *, of: int) -> None:
        """Go from a run to its report, the newest of so many."""
        await self.open_tab("Artifacts")
        await self.page.get_by_role("link").filter(has_text=key).click()
        # Named by the beginnings of their ids; what was there at the last visit is shown first.
        reports = self.page.get_by_role("link", name=re.compile("^[0-9a-f]{8}$"))
        await expect(reports).to_have_count(of)
        await reports.first.click()

    async def sees(self, *texts: str | re.Pattern[str], patience: float = 60) -> None:
        """Wait until every text is visible, seconds long at most."""
        for text in texts:
            await expect(self.page.locator("body").get_by_text(text).first).to_be_visible(timeout=patience * 1000)

    async def sees_run_end(self, state: str) -> None:
        """Wait for the end of the run whose page is open, which has to follow it by itself."""
        badge = self.page.get_by_role("main").get_by_text(state, exact=True).first
        await expect(badge).to_be_visible(timeout=PATIENCE * 1000)

    async def picture(self, name: str, *, height: int = 800, fresh: bool = False) -> None:
        """Keep what is on the screen for the documentation, where pictures are wanted.

        Args:
            name: Name of the file, without its ending.
            height: Height of the window, pixels.
            fresh: Whether to load the page again, for a run graph that shows all of a run that has ended meanwhile.
        """
        if not browser.WANTED:
            return
        await self.page.set_viewport_size({"width": 1280, "height": height})
        # Notices go by themselves, states of tasks come late, and the run graph moves into place.
        await self.page.wait_for_timeout(8_000)
        if fresh:
            # The graph of a run that has ended is loaded once: a task whose end comes later goes on in it for ever.
            async with get_client() as client:
                await tasks_ended(client, UUID(urlsplit(self.page.url).path.rsplit("/", 1)[-1]))
            await self.page.reload()
            await self.page.wait_for_timeout(20_000)
        await self.page.evaluate(_FROM_THE_TOP)
        await browser.keep(self.page, name)


@contextlib.asynccontextmanager
async def operator(url: str):
    """Yield an operator whose browser reaches the installation alone; a step that fails tells what was shown."""
    host = urlsplit(url).netloc
    async with browser.chromium() as there:
        page = await there.new_page(
            viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC", color_scheme="light"
        )
        page.set_default_timeout(60_000)
        somebody = Operator(page, url)

        async def only_ours(route: Route) -> None:
            asked = urlsplit(route.request.url)
            if asked.netloc == host:
                await route.fallback()
                return
            somebody.strangers.add(asked.hostname or "")
            await route.abort()

        await page.route(re.compile("^https?://"), only_ours)
        await page.goto(url)
        try:
            yield somebody
        except Exception as error:
            shown = await page.locator("body").aria_snapshot()
            error.add_note(f"The browser shows {page.url}:\n{shown}")
            raise
