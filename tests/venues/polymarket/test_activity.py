"""Payments as the Data API tells them: whole lists, exact amounts, one id per payment."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from domain.errors import VenueError
from domain.money import MICRO
from tests.venues.polymarket.pacing import Unpaced
from venues.polymarket.activity import ActivityIncome
from venues.polymarket.http import HttpClient

WALLET = "0x" + "ab" * 20


def row(
    kind: str = "REWARD", size: object = 1.25, *, at: int = 1_700_000_000, transaction: str = "0x01", **more: object
):
    return {
        "type": kind,
        "timestamp": at,
        "usdc_size": size,
        "proxy_wallet": WALLET,
        "transaction_hash": transaction,
        **more,
    }


@asynccontextmanager
async def index(*pages: object) -> AsyncIterator[tuple[ActivityIncome, list[dict[str, str]]]]:
    """Serve pages one after the other; yields the reader and the queries it sent."""
    queries: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        queries.append(dict(request.query))
        page = pages[min(len(queries), len(pages)) - 1]
        return web.Response(text=page if isinstance(page, str) else json.dumps(page))

    app = web.Application()
    app.router.add_get("/v2/activity", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield ActivityIncome(HttpClient(f"http://127.0.0.1:{port}", session, Unpaced()), WALLET), queries
    await runner.cleanup()


def page(*rows: object, cursor: str | None = None) -> dict[str, object]:
    return {"data": list(rows), "pagination": {"has_more": cursor is not None, "next_cursor": cursor}}


async def test_payments_are_read_page_by_page_oldest_first():
    later = row("MAKER_REBATE", 0.123456, at=1_700_000_009)
    async with index(page(later, cursor="c1"), page(row())) as (income, queries):
        first, second = await income.incomes(1_699_999_999_500_000_000, 1_700_000_100_500_000_000)
    assert (first.amount, first.rebate, first.at_ns) == (1_250_000, False, 1_700_000_000 * 10**9)
    assert (second.amount, second.rebate) == (123_456, True)
    assert queries[0] | {"type": ""} == {
        "user": WALLET,
        "type": "",
        "start": "1699999999",
        "end": "1700000101",
        "sort_direction": "ASC",
    }
    assert queries[1]["cursor"] == "c1"


async def test_a_payment_told_twice_is_one_and_two_in_one_transaction_are_two():
    other = row(condition_id="0xother")
    async with index(page(row(), row(), other)) as (income, _):
        assert len(await income.incomes(0, 1)) == 2


async def test_other_rows_and_other_wallets_are_left_out():
    strangers = row() | {"proxy_wallet": "0x" + "cd" * 20}
    async with index(page(row("TRADE", 9), row("DEPOSIT", 5), strangers)) as (income, _):
        assert await income.incomes(0, 1) == []


async def test_numbers_are_exact():
    async with index(page(row(size=0.1), row(size=1_000_000.000001, transaction="0x02"))) as (income, _):
        assert sorted(each.amount for each in await income.incomes(0, 1)) == [100_000, 1_000_000 * MICRO + 1]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        page(row(size=0)),
        page(row(size=-1)),
        page(row(size=0.0000001)),
        page({"type": "REWARD"}),
        page(row(), cursor="same"),
    ],
)
async def test_what_cannot_be_believed_is_an_error(content):
    async with index(content) as (income, _):
        with pytest.raises(VenueError):
            await income.incomes(0, 1)
