"""Public reads of `polymarket-client`: books and prices, rewards, and Gamma. `name` is the client class that is driven."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from polymarket import PriceRequest
from polymarket.errors import RequestRejectedError

from conversation import Conversation, equal, eventually, expect, refused
from setting import BUILDER_CODE, OWNER, Market, Venue

TICK = Decimal("0.01")


def items(listing: Any, most: int = 1000) -> list[Any]:
    """Return what a listing holds, page after page."""
    page = listing.first_page()
    rows = list(page.items)
    while page.has_more and len(rows) < most:
        page = listing.from_cursor(page.next_cursor).first_page()
        rows += page.items
    return rows


def play(talk: Conversation, client: Any, name: str, venue: Venue) -> None:
    """Read everything that needs neither key nor history of one's own."""
    for neg_risk in (False, True):
        market = venue.pick(neg_risk=neg_risk, fees=True)
        talk.scene("books", _books, talk, client, name, market)
        talk.scene("prices", _prices, talk, client, name, market)
        talk.scene("markets", _markets, talk, client, name, market)
        talk.scene("events", _events, talk, client, name, market)
    talk.scene("rewards", _rewards, talk, client, name)
    talk.scene("tags", _tags, talk, client, name)
    talk.scene("series and sports", _series_and_sports, talk, client, name)
    talk.scene("people", _people, talk, client, name, market)
    talk.scene("builders", _builders, talk, client, name)


def _kind(market: Market) -> str:
    return "neg-risk" if market.neg_risk else "standard"


def _books(talk: Conversation, client: Any, name: str, market: Market) -> None:
    kind = _kind(market)
    with talk.call(f"{name}.get_order_book", kind):
        book = client.get_order_book(asset_id=market.yes)
        equal((book.asset_id, book.condition_id), (market.yes, market.condition_id), "token and market")
        equal((book.tick_size, book.neg_risk, book.min_order_size), (TICK, market.neg_risk, Decimal(5)), "parameters")
        expect(max(level.price for level in book.bids) < min(level.price for level in book.asks), "bids below asks")
        equal(book.bids[-1].price, max(level.price for level in book.bids), "the best bid, which is last")
    with talk.call(f"{name}.get_order_books", kind):
        books = client.get_order_books(asset_ids=[market.yes, market.no])
        equal({book.asset_id for book in books}, {market.yes, market.no}, "the books")
    with talk.call(f"{name}.estimate_market_price", f"{kind}, buy"):
        ask = client.get_price(asset_id=market.yes, side="SELL")
        found = client.estimate_market_price(asset_id=market.yes, side="BUY", amount=1)
        expect(abs(found - ask) <= 5 * TICK, f"a price near {ask}, got {found}")
    with talk.call(f"{name}.estimate_market_price", f"{kind}, sell"):
        bid = client.get_price(asset_id=market.yes, side="BUY")
        found = client.estimate_market_price(asset_id=market.yes, side="SELL", shares=5)
        expect(abs(found - bid) <= 5 * TICK, f"a price near {bid}, got {found}")


def _prices(talk: Conversation, client: Any, name: str, market: Market) -> None:
    kind = _kind(market)

    def best() -> tuple[Decimal, Decimal]:
        return client.get_price(asset_id=market.yes, side="BUY"), client.get_price(asset_id=market.yes, side="SELL")

    with talk.call(f"{name}.get_price", kind):
        bid, ask = best()
        expect(0 < bid < ask < 1, f"bid {bid} below ask {ask}")
    with talk.call(f"{name}.get_midpoint", kind):
        eventually(lambda: client.get_midpoint(asset_id=market.yes) == sum(best()) / 2, "the middle of the book")
    with talk.call(f"{name}.get_spread", kind):
        eventually(lambda: client.get_spread(asset_id=market.yes) == best()[1] - best()[0], "the spread of the book")
    pair = [market.yes, market.no]
    with talk.call(f"{name}.get_midpoints", kind):
        mids = client.get_midpoints(asset_ids=pair)
        equal(mids[market.yes] + mids[market.no], Decimal(1), "the sum of both midpoints")
    with talk.call(f"{name}.get_spreads", kind):
        spreads = client.get_spreads(asset_ids=pair)
        equal(spreads[market.yes], spreads[market.no], "the spread of the mirror")
    with talk.call(f"{name}.get_prices", kind):
        prices = client.get_prices(requests=[PriceRequest(market.yes, "BUY"), PriceRequest(market.no, "SELL")])
        equal(prices[market.yes]["BUY"] + prices[market.no]["SELL"], Decimal(1), "a bid and the ask it mirrors")
    with talk.call(f"{name}.get_last_trade_price", kind):
        last = client.get_last_trade_price(asset_id=market.yes)
        expect(last is None or (0 < last.price < 1 and last.side in ("BUY", "SELL")), "no trade, or price and side")
    with talk.call(f"{name}.get_last_trade_prices", kind):
        rows = client.get_last_trade_prices(asset_ids=pair)
        expect({row.asset_id for row in rows} <= set(pair), "rows of the tokens asked for")
    with talk.call(f"{name}.get_order_book", "of no known token"):
        error = refused(lambda: client.get_order_book(asset_id="123"), RequestRejectedError, "No orderbook exists")
        equal(getattr(error, "status", 0), 404, "the status")


def _markets(talk: Conversation, client: Any, name: str, market: Market) -> None:
    ways = {
        "id": market.id,
        "slug": market.slug,
        "url": f"https://polymarket.com/event/{market.event_slug}/{market.slug}",
    }
    for way, value in ways.items():
        with talk.call(f"{name}.get_market", f"by {way}"):
            found = client.get_market(**{way: value})
            equal((found.id, found.condition_id), (market.id, market.condition_id), "the market")
            tokens = (found.outcomes.yes.token_id, found.outcomes.no.token_id)
            equal(tokens, (market.yes, market.no), "its tokens")
            equal(found.trading.minimum_tick_size, TICK, "its tick")
            equal(found.state.neg_risk, market.neg_risk, "neg_risk")
    with talk.call(f"{name}.get_market_tags"):
        expect(all(tag.id and tag.slug for tag in client.get_market_tags(market.id)), "tags with id and slug")
    filters: dict[str, dict[str, Any]] = {
        "condition": {"condition_ids": [market.condition_id]},
        "token": {"clob_token_ids": [market.yes]},
        "id": {"ids": [int(market.id)]},
        "slug": {"slug": market.slug},
        "question": {"question_ids": [market.question_id]},
    }
    for way, query in filters.items():
        with talk.call(f"{name}.list_markets", f"by {way}"):
            equal([row.id for row in items(client.list_markets(**query))], [market.id], "the market found")
    with talk.call(f"{name}.list_markets", "by volume, page after page"):
        rows = items(client.list_markets(order="volume", ascending=False, page_size=10))
        volumes = [row.metrics.volume_num for row in rows]
        expect(len(rows) > 10 and volumes == sorted(volumes, reverse=True), "markets in order of their volume")
        equal(len({row.id for row in rows}), len(rows), "how many differ")
    with talk.call(f"{name}.list_markets", "closed"):
        expect(all(row.state.closed for row in items(client.list_markets(closed=True), 50)), "closed markets only")


def _events(talk: Conversation, client: Any, name: str, market: Market) -> None:
    ways = {
        "id": market.event_id,
        "slug": market.event_slug,
        "url": f"https://polymarket.com/event/{market.event_slug}",
    }
    for way, value in ways.items():
        with talk.call(f"{name}.get_event", f"by {way}"):
            event = client.get_event(**{way: value})
            equal(event.id, market.event_id, "the event")
            expect(market.id in [one.id for one in event.markets], "the market among its markets")
            equal(bool(event.trading.neg_risk), market.neg_risk, "neg_risk")
    with talk.call(f"{name}.get_event_tags"):
        tags = client.get_event_tags(market.event_id)
        expect(tags and all(tag.id and tag.slug for tag in tags), "tags with id and slug")
    with talk.call(f"{name}.list_events", "by id and slug"):
        for query in ({"ids": [int(market.event_id)]}, {"slug": market.event_slug}):
            equal([event.id for event in items(client.list_events(**query))], [market.event_id], "the event found")
    with talk.call(f"{name}.list_events", "of a tag, page after page"):
        rows = items(client.list_events(tag_slug=tags[0].slug, page_size=1))
        expect(market.event_id in [event.id for event in rows], "the event among those of its tag")
    with talk.call(f"{name}.search"):
        words = " ".join(event.title.split()[:3])
        found = client.search(q=words).first_page().items[0]
        expect(market.event_id in [event.id for event in found.events], f"the event when one looks for {words!r}")


def _rewards(talk: Conversation, client: Any, name: str) -> None:
    with talk.call(f"{name}.list_current_rewards"):
        rows = items(client.list_current_rewards())
        expect(rows and all(row.rewards_config and row.rewards_max_spread for row in rows), "markets and parameters")
    with talk.call(f"{name}.list_market_rewards"):
        found = items(client.list_market_rewards(condition_id=rows[0].condition_id))
        equal([row.condition_id for row in found], [rows[0].condition_id], "the market")
        equal(len(found[0].tokens), 2, "its tokens")
    with talk.call(f"{name}.list_reward_markets"):
        ordered = items(client.list_reward_markets(order_by="rate_per_day", sort_direction="DESC", page_size=10))
        rates = [sum(config.rate_per_day for config in row.rewards_config) for row in ordered]
        expect(rates and rates == sorted(rates, reverse=True), "markets by their daily rate")
    with talk.call(f"{name}.get_current_rebates"):
        today = datetime.now(UTC).date().isoformat()
        rows = client.get_current_rebates(date=today, maker_address=OWNER)
        expect(all(row.rebated_fees_usdc >= 0 for row in rows), "rebates of the day")


def _tags(talk: Conversation, client: Any, name: str) -> None:
    with talk.call(f"{name}.list_tags"):
        tags = items(client.list_tags())
        expect(tags and all(tag.id and tag.slug and tag.label for tag in tags), "tags")
    for way, value in (("id", tags[0].id), ("slug", tags[0].slug)):
        with talk.call(f"{name}.get_tag", f"by {way}"):
            equal(client.get_tag(**{way: value}).id, tags[0].id, "the tag")
        with talk.call(f"{name}.get_related_tags", f"by {way}"):
            related = client.get_related_tags(**{way: value})
            expect(all(one.id for one in related), "relations with ids")
        with talk.call(f"{name}.get_related_tag_resources", f"by {way}"):
            resources = client.get_related_tag_resources(**{way: value})
            equal(len(resources), len(related), "how many tags are related")


def _series_and_sports(talk: Conversation, client: Any, name: str) -> None:
    with talk.call(f"{name}.list_series"):
        series = items(client.list_series())
        expect(series and all(one.id and one.slug for one in series), "series")
    with talk.call(f"{name}.get_series"):
        equal(client.get_series(series[0].id).slug, series[0].slug, "the series")
    with talk.call(f"{name}.list_teams"):
        expect(all(team.id and team.name for team in items(client.list_teams())), "teams")
    with talk.call(f"{name}.get_sports"):
        expect(all(one.sport for one in client.get_sports()), "sports")
    with talk.call(f"{name}.get_sports_market_types"):
        expect(isinstance(client.get_sports_market_types().market_types, tuple), "types")


def _people(talk: Conversation, client: Any, name: str, market: Market) -> None:
    with talk.call(f"{name}.get_public_profile"):
        profile = client.get_public_profile(OWNER)
        expect(profile is None or profile.wallet, "a profile, or none")
    with talk.call(f"{name}.list_comments"):
        comments = items(client.list_comments(parent_entity_id=market.event_id, parent_entity_type="Event"))
        expect(all(comment.id for comment in comments), "comments")
    with talk.call(f"{name}.list_comments", "of holders"):
        of_holders = client.list_comments(
            parent_entity_id=market.event_id, parent_entity_type="Event", holders_only=True
        )
        expect(len(items(of_holders)) <= len(comments), "not more than all")
    with talk.call(f"{name}.list_comments_by_user_address"):
        expect(
            all(comment.user_address for comment in items(client.list_comments_by_user_address(address=OWNER))), "own"
        )
    with talk.call(f"{name}.get_comment_thread"):
        known = comments[0].id if comments else "1"
        thread = client.get_comment_thread(known)
        equal(bool(thread), bool(comments), "whether there is such a thread")


def _builders(talk: Conversation, client: Any, name: str) -> None:
    with talk.call(f"{name}.list_builder_trades"):
        rows = items(client.list_builder_trades(builder_code=BUILDER_CODE))
        expect(all(row.builder == BUILDER_CODE for row in rows), "trades of the builder")
    with talk.call(f"{name}.get_builder_volumes"):
        expect(all(row.volume >= 0 for row in client.get_builder_volumes(interval="day")), "volumes")
    with talk.call(f"{name}.list_builder_leaderboard"):
        ranks = [row.rank for row in items(client.list_builder_leaderboard(window="day"))]
        equal(ranks, sorted(ranks), "ranks in order")
