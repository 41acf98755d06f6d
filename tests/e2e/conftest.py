"""The whole platform, started as `make run` starts it on data of its own, and a real browser that looks at it.

One platform serves all tests of a run: they leave it as they found it. Without Chromium or a built dashboard the tests are skipped and say what
is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from infra.paths import ROOT
from tests.e2e.running import Platform, eventually, sign_in, started

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without these, Chromium calls its maker's servers at every start.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What is expected of the page is waited for; a machine that does much else takes longer to show it.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    if not (ROOT / "dashboard/dist/index.html").exists():
        pytest.skip("the dashboard is not built: npm ci && npm run build in dashboard/, or `make e2e`")
    with started() as running:
        yield running


@pytest.fixture(autouse=True)
def _trading(platform: Platform) -> Iterator[None]:
    """A test that fails in the middle of a halt must not fail the tests after it."""
    yield
    for halt in eventually(lambda: platform.get("/api/halt"), within=30, what="the list of halts")["halts"]:
        address = f"/api/halt?{urlencode({'scope': halt['scope'], 'target': halt['target']})}"
        eventually(partial(platform.delete, address), within=30, what="a resumption")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    yield opened
    opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page's console and scripts complained about; empty when all is well."""
    return []


@pytest.fixture
def desk(context: BrowserContext, platform: Platform, complaints: list[str]) -> Page:
    """A page that is signed in and follows the trader."""
    page = context.new_page()
    sign_in(page, platform)
    page.get_by_role("status").filter(has_text="live").wait_for()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return page
