"""The operator's seat through a browser: what is seen, what can be done, and what happens when something breaks."""

from __future__ import annotations

import contextlib
import re
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.e2e.running import Platform, eventually, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

VIEWS = ("overview", "markets", "orders", "positions", "fills", "results", "strategies", "arbitrage")
FIRST_TRADE_WITHIN = 120.0
_BEST = """table => [".bid .price", ".ask:last-child .price"].map(best => table.querySelector(best)?.textContent)"""
_WIDER_THAN_ITS_SCREEN = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter(found => found.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map(found => `${found.tagName} ${found.className} ${found.textContent.slice(0, 40)}`)"""
_THEME = "getComputedStyle(document.body).colorScheme + document.documentElement.dataset.theme"
PRICE = re.compile(r"0\.\d{2,4}")


def _rows(platform: Platform, path: str) -> list[Any]:
    rows: list[Any] = platform.get(path)["results"]
    return rows


def open_view(page: Page, platform: Platform, view: str) -> None:
    page.goto(f"{platform.url}/#/{view}")


def assert_fits(page: Page) -> None:
    """Assert that nothing is wider than its screen, once what follows a new size by script (a chart, in the next frame) has done so."""
    with contextlib.suppress(Error):
        page.wait_for_function(f"() => ({_WIDER_THAN_ITS_SCREEN})().length === 0", timeout=5_000)
    assert page.evaluate(_WIDER_THAN_ITS_SCREEN) == [], page.url


def test_a_stranger_is_sent_to_the_login_and_from_there_to_the_dashboard(browser: Browser, platform: Platform) -> None:
    page = browser.new_page()
    response = page.goto(platform.url)
    assert response is not None
    expect(page).to_have_url(re.compile("/login/"))
    sign_in(page, platform)
    expect(page.get_by_text("Simulated", exact=True)).to_be_visible()
    page.close()


def test_the_strategies_trade_within_two_minutes_and_the_dashboard_shows_it(desk: Page, platform: Platform) -> None:
    for path in ("/api/orders", "/api/positions?status=all", "/api/fills"):
        eventually(partial(_rows, platform, path), within=FIRST_TRADE_WITHIN, what=f"a row of {path}")
    expect(desk.get_by_test_id("profit")).to_have_text(re.compile(r"\$\d"))
    expect(
        desk.get_by_role("region", name="Last signals")
        .get_by_text(re.compile("flash_crash|mean_reversion|rebalancing_arb"))
        .first
    ).to_be_visible()
    open_view(desk, platform, "fills")
    expect(desk.get_by_role("table", name="Fills").get_by_role("row").nth(1)).to_be_visible()


def test_an_arbitrage_is_executed_and_can_be_followed_step_by_step(desk: Page, platform: Platform) -> None:
    def filled() -> list[Any]:
        return [row for row in _rows(platform, "/api/arbitrage/executions") if row["status"] == "filled"]

    execution = eventually(filled, within=FIRST_TRADE_WITHIN, what="an arbitrage execution")[0]
    open_view(desk, platform, "arbitrage")
    expect(desk.get_by_text("expected").first).to_have_text(re.compile(r"\$\d"))
    # Not the newest: that may still be on its way, or fail.
    its_link = desk.locator(f"a[href$='{execution['id']}']")
    row = desk.get_by_role("table", name="Executions").get_by_role("row").filter(has=its_link)
    expect(row).to_contain_text(re.compile(r"\d of \d"))
    row.get_by_role("link").click()
    expect(desk.get_by_role("table", name="Legs").get_by_role("row").nth(2)).to_be_visible()
    expect(desk.get_by_role("table", name="Timeline")).to_contain_text("Fill of leg 1")
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("heading", name="Arbitrage")).to_be_visible()


def test_the_ladder_of_a_market_is_live_and_never_crossed(desk: Page, platform: Platform) -> None:
    open_view(desk, platform, "markets")
    expect(desk.locator(".list .num").filter(has_text=PRICE).first).to_be_visible()
    desk.get_by_role("button", name="Activity").click()
    desk.locator(".list a.row").first.click()
    ladder = desk.get_by_role("table", name="Order book")
    expect(ladder.locator(".bid .price").first).to_have_text(PRICE)
    seen: list[str] = []

    def changed() -> bool:
        bid, ask = ladder.evaluate(_BEST)  # one reading: between two, the market may move
        assert bid is None or ask is None or float(bid) < float(ask)
        seen.append(ladder.inner_text())
        return len(seen) >= 40 and len(set(seen)) > 1

    eventually(changed, within=60, what="a change of the book")


def test_an_own_order_is_marked_in_the_ladder_and_cancelled_from_the_list(desk: Page, platform: Platform) -> None:
    market = next(row for row in platform.get("/api/markets?status=active")["results"] if row["tick"] == "0.01")
    book = platform.get(f"/api/markets/{market['id']}")["books"][0]
    deep = book["bids"][:8][-1][0]  # far enough from the best price not to be filled meanwhile
    placed = platform.post(
        "/api/orders",
        {
            "token_id": book["token_id"],
            "side": "buy",
            "price": deep,
            "size": "7.13",  # nobody else's
            "order_type": "GTC",
            "effect": "open",
        },
    )
    assert placed["status"] == "done", placed
    open_view(desk, platform, f"markets/{market['id']}")
    expect(desk.locator(".ladder .own", has_text="ours 7.13")).to_be_visible()
    open_view(desk, platform, "orders")
    desk.get_by_role("button", name=re.compile("Open")).click()
    row = desk.get_by_role("row").filter(has_text="of 7.13")
    row.get_by_role("button", name="Cancel").click()
    desk.get_by_role("button", name="Cancel order").click()
    expect(desk.get_by_text("The order is cancelled")).to_be_visible()
    expect(row).to_have_count(0)
    desk.get_by_role("button", name="Recent").click()
    expect(row.get_by_text("cancelled", exact=True)).to_be_visible()


def test_one_key_halts_trading_and_the_same_key_resumes(desk: Page, platform: Platform) -> None:
    desk.keyboard.press("h")
    desk.get_by_label("Reason").fill("a drill")
    desk.get_by_role("button", name="Halt now").click()
    expect(desk.get_by_role("alert").filter(has_text="a drill")).to_be_visible()
    assert [(halt["reason"], halt["set_by"]) for halt in platform.halts("all")] == [("a drill", platform.username)]
    expect(desk.get_by_role("dialog")).to_have_count(0)  # it waits for the trader's answer; the news may come sooner
    desk.keyboard.press("h")
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert").filter(has_text="a drill")).to_have_count(0)
    assert platform.halts("all") == []


def test_a_halted_desk_fits_the_smallest_phone(desk: Page, platform: Platform) -> None:
    desk.set_viewport_size({"width": 320, "height": 812})
    platform.post("/api/halt", {"scope": "all", "target": "", "reason": "averylongreasonwithoutanyplacetobreakit" * 3})
    expect(desk.get_by_role("alert").filter(has_text="averylong")).to_be_visible()
    assert_fits(desk)
    expect(desk.get_by_role("button", name="Resume").first).to_be_in_viewport()


def test_a_strategy_is_tuned_and_switched_while_it_runs(desk: Page, platform: Platform) -> None:
    def stored() -> dict[str, Any]:
        return next(row for row in platform.get("/api/strategies")["results"] if row["name"] == "flash_crash")

    before = stored()
    open_view(desk, platform, "strategies")
    card = desk.locator(".strategy").filter(has=desk.get_by_role("switch", name=re.compile("flash", re.IGNORECASE)))
    threshold = card.get_by_label("Drop", exact=True)
    usual = threshold.input_value()
    threshold.fill("7")
    expect(card.get_by_role("alert")).to_contain_text("Expected at most")
    expect(card.get_by_role("button", name="Save")).to_be_disabled()
    threshold.fill("0.2")
    card.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("parameters saved")).to_be_visible()
    assert stored()["parameters"] == {**before["parameters"], "drop_threshold": 0.2}
    eventually(
        lambda: stored()["status"]["parameters"]["drop_threshold"] == 0.2, within=10, what="the trader's new value"
    )
    desk.reload()
    expect(threshold).to_have_value("0.2")
    threshold.fill(usual)
    card.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("parameters saved")).to_be_visible()

    switch = desk.get_by_role("switch", name=re.compile("flash", re.IGNORECASE))
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(card.get_by_text("stopped", exact=True)).to_be_visible()
    switch.click()
    expect(card.get_by_text("running", exact=True)).to_be_visible()


@pytest.mark.parametrize("view", ["overview", "results"])
def test_a_window_that_becomes_narrower_is_filled_and_not_exceeded(desk: Page, platform: Platform, view: str) -> None:
    open_view(desk, platform, view)
    for width in (1800, 1560, 1440, 1000, 390):
        desk.set_viewport_size({"width": width, "height": 900})
        assert_fits(desk)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 375, 768, 1440])
def test_every_view_fits_its_screen_without_a_complaint(
    browser: Browser, platform: Platform, complaints: list[str], scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 812}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, platform)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    market = platform.get("/api/markets?limit=1")["results"][0]["id"]
    for view in (*VIEWS, f"markets/{market}"):
        open_view(page, platform, view)
        page.wait_for_timeout(400)
        assert_fits(page)
        expect(page.get_by_role("button", name="Halt")).to_be_in_viewport()
    assert complaints == []
    context.close()


def test_a_web_process_that_dies_is_told_and_followed_again(desk: Page, platform: Platform) -> None:
    platform.program("uvicorn").kill()
    expect(desk.get_by_role("alert").filter(has_text="No connection to polybot")).to_be_visible()
    expect(desk.get_by_role("status").filter(has_text="live")).to_be_visible(timeout=60_000)
    expect(desk.get_by_role("alert").filter(has_text="No connection")).to_have_count(0)


def test_a_trader_that_dies_is_told_with_its_age_and_followed_again(desk: Page, platform: Platform) -> None:
    platform.program("runtrader").kill()
    expect(desk.get_by_role("alert").filter(has_text="trader")).to_be_visible(timeout=20_000)
    expect(desk.get_by_role("status").filter(has_text="live")).to_be_visible(timeout=90_000)
    expect(desk.get_by_role("alert").filter(has_text="trader")).to_have_count(0)


def test_signing_out_leads_to_the_login_and_nothing_is_shown_without_it(desk: Page, platform: Platform) -> None:
    desk.get_by_role("button", name="Menu").click()
    desk.get_by_role("button", name="Sign out").click()
    desk.wait_for_url(re.compile("/login/"))
    desk.goto(platform.url)
    expect(desk).to_have_url(re.compile("/login/"))


def test_the_whole_seat_works_by_keyboard(desk: Page, platform: Platform) -> None:
    desk.keyboard.press("2")
    expect(desk).to_have_url(re.compile("#/markets$"))
    expect(desk.locator(".list a.row").first).to_be_visible()
    desk.keyboard.press("j")
    expect(desk).to_have_url(re.compile("#/markets/.+"))
    expect(desk.get_by_role("table", name="Order book")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk).to_have_url(re.compile("#/markets$"))
    desk.keyboard.press("/")
    desk.keyboard.type("zzzz no such market")
    expect(desk.get_by_text("No market matches")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog")).to_contain_text("Halt all trading")
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    theme = desk.evaluate(_THEME)
    desk.keyboard.press("t")
    desk.wait_for_function(f"before => ({_THEME}) !== before", arg=theme)
