"""The Data API through `polymarket-client`: history, positions and rankings of a wallet that has traded. The index follows with a delay."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from conversation import Conversation, equal, eventually, expect
from setting import Market
from unified_reads import items

INTERVALS = ("1h", "6h", "1d", "1w", "1m", "max")


def play(talk: Conversation, client: Any, name: str, wallet: str, market: Market) -> None:
    """Read all that is indexed of `wallet`, which holds tokens of `market` after a buy."""
    talk.scene("trades", _trades, talk, client, name, wallet, market)
    talk.scene("positions", _positions, talk, client, name, wallet, market)
    talk.scene("wallet figures", _figures, talk, client, name, wallet, market)
    talk.scene("market figures", _market_figures, talk, client, name, wallet, market)
    talk.scene("price history", _price_history, talk, client, name, market)
    talk.scene("rankings", _rankings, talk, client, name, wallet)


def _trades(talk: Conversation, client: Any, name: str, wallet: str, market: Market) -> None:
    with talk.call(f"{name}.list_trades", "of a wallet in a market"):
        query = {"user": wallet, "condition_id": market.condition_id}
        rows = eventually(lambda: items(client.list_trades(**query)), "the wallet's trades in the index")
        equal(
            {(row.wallet.lower(), row.condition_id) for row in rows}, {(wallet.lower(), market.condition_id)}, "whose"
        )
        expect(all(0 < row.price < 1 and row.size > 0 for row in rows), "prices and sizes")
    with talk.call(f"{name}.list_trades", "of an event, buys only, page after page"):
        rows = items(client.list_trades(event_id=int(market.event_id), side="BUY", page_size=5), 50)
        expect(rows and all(row.side == "BUY" for row in rows), "buys")
    with talk.call(f"{name}.list_activity", "of a wallet"):
        rows = items(client.list_activity(user=wallet))
        expect("TRADE" in {row.type.value for row in rows}, "trades among the activity")
    with talk.call(f"{name}.list_activity", "trades of a day, oldest first"):
        since = datetime.now(UTC) - timedelta(days=1)
        rows = items(client.list_activity(user=wallet, activity_types=["TRADE"], sort_direction="ASC", start=since))
        times = [row.timestamp for row in rows]
        expect(times and times == sorted(times), "trades in time's order")
    with talk.call(f"{name}.list_combo_activity"):
        equal(items(client.list_combo_activity(user=wallet)), [], "activity with combos")


def _positions(talk: Conversation, client: Any, name: str, wallet: str, market: Market) -> None:
    def held() -> list[Any]:
        rows = items(client.list_positions(user=wallet, status="OPEN"))
        return [row for row in rows if row.condition_id == market.condition_id]

    with talk.call(f"{name}.list_positions", "of a wallet"):
        position = eventually(held, "the position in the index")[0]
        token = {"Yes": market.yes, "No": market.no}[position.outcome]
        equal(position.asset_id, token, "the token of the outcome")
        equal(position.negative_risk, market.neg_risk, "negative_risk")
        expect(position.current_size > 0 and 0 < position.avg_price < 1, "size and average price")
    with talk.call(f"{name}.list_positions", "of a market, largest first"):
        rows = items(client.list_positions(condition_id=market.condition_id, sort_by="TOKENS", sort_direction="DESC"))
        sizes = [row.current_size for row in rows]
        expect(sizes and sizes == sorted(sizes, reverse=True), "positions by size")
    for status in ("CLOSED", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE"):
        with talk.call(f"{name}.list_positions", status):
            rows = items(client.list_positions(user=wallet, status=status))
            expect(all(row.wallet.lower() == wallet.lower() for row in rows), "the wallet's own")
    with talk.call(f"{name}.list_combo_positions"):
        equal(items(client.list_combo_positions(user=wallet)), [], "positions in combos")
    with talk.call(f"{name}.list_market_holders"):
        groups = items(client.list_market_holders(condition_ids=[market.condition_id]))
        found = {holder.wallet.lower() for group in groups for holder in group.holders}
        expect(wallet.lower() in found, "the wallet among the holders")
    with talk.call(f"{name}.list_market_holders", "with their profit"):
        groups = items(client.list_market_holders(condition_ids=market.condition_id, include_pnl=True))
        expect(groups and groups[0].holders[0].total_pnl is not None, "a profit or loss")


def _figures(talk: Conversation, client: Any, name: str, wallet: str, market: Market) -> None:
    with talk.call(f"{name}.get_portfolio_value"):
        value = client.get_portfolio_value(user=wallet)
        equal(value.wallet.lower(), wallet.lower(), "whose")
        expect(value.value > 0, "a value")
    with talk.call(f"{name}.get_portfolio_value", "of one market"):
        condition = client.get_portfolio_value(user=wallet, condition_ids=[market.condition_id])
        expect(0 < condition.value <= value.value, "a part of it")
    with talk.call(f"{name}.get_user_stats"):
        stats = client.get_user_stats(user=wallet)
        expect(stats.traded_market_count >= 1, "markets traded")
    with talk.call(f"{name}.get_user_pnl"):
        series = client.get_user_pnl(user=wallet, interval="1d", fidelity="1h")
        equal((series.wallet.lower(), series.interval.value), (wallet.lower(), "1d"), "whose, and which")
        expect(series.points, "points")
    with talk.call(f"{name}.get_user_volume"):
        volume = client.get_user_volume(user=wallet)
        expect(volume.trade_count >= 1 and volume.volume_usdc > 0, "a volume")
    with talk.call(f"{name}.download_accounting_snapshot"):
        files = zipfile.ZipFile(io.BytesIO(client.download_accounting_snapshot(user=wallet))).namelist()
        expect(files and all(file.endswith(".csv") for file in files), "tables in an archive")
    with talk.call(f"{name}.get_trading_approvals_state"):
        state = client.get_trading_approvals_state(wallet=wallet)
        expect(isinstance(state.is_fully_approved, bool), "a yes or no")


def _market_figures(talk: Conversation, client: Any, name: str, wallet: str, market: Market) -> None:
    with talk.call(f"{name}.get_open_interests"):
        rows = client.get_open_interests(condition_ids=[market.condition_id])
        equal([row.condition_id for row in rows], [market.condition_id], "the market")
        expect(rows[0].value > 0, "an open interest")
    with talk.call(f"{name}.get_open_interests", "of the whole venue"):
        expect(client.get_open_interests()[0].value >= rows[0].value, "at least the market's")
    with talk.call(f"{name}.get_event_live_volume"):
        live = client.get_event_live_volume(event_ids=[int(market.event_id)])
        expect(market.condition_id in [row.condition_id for row in live.markets], "the market's part")
    with talk.call(f"{name}.get_token_references", "by token"):
        rows = client.get_token_references(asset_ids=[market.yes, market.no])
        equal([row.asset_id for row in rows], [market.yes, market.no], "the tokens")
        equal({row.condition_id for row in rows}, {market.condition_id}, "their market")
    with talk.call(f"{name}.get_token_references", "by condition"):
        rows = client.get_token_references(condition_ids=[market.condition_id])
        equal(sorted(row.outcome_index for row in rows), [0, 1], "both outcomes")
    with talk.call(f"{name}.get_resolutions"):
        rows = client.get_resolutions(condition_ids=[market.condition_id])
        expect(all(row.condition_id == market.condition_id for row in rows), "the market's")


def _price_history(talk: Conversation, client: Any, name: str, market: Market) -> None:
    for interval in INTERVALS:
        with talk.call(f"{name}.list_price_history", interval):
            points = eventually(
                partial(_points, client, market.yes, interval), "a price, which is noted once a minute", within=120
            )
            expect(all(0 < point.price < 1 for point in points), "prices")
    with talk.call(f"{name}.list_price_history", "from, to"):
        start = datetime.now(UTC) - timedelta(hours=1)
        points = items(client.list_price_history(asset_id=market.yes, start=start, bucket_seconds=60))
        times = [point.timestamp for point in points]
        expect(times and times == sorted(times), "points in time's order")
    with talk.call(f"{name}.list_price_history", "as of a moment"):
        points = items(client.list_price_history(asset_id=market.yes, as_of=datetime.now(UTC)))
        equal(len(points), 1, "how many points")


def _points(client: Any, token_id: str, interval: str) -> list[Any]:
    return items(client.list_price_history(asset_id=token_id, interval=interval))


def _rankings(talk: Conversation, client: Any, name: str, wallet: str) -> None:
    with talk.call(f"{name}.list_trader_leaderboard"):
        for way in ("PNL", "VOLUME"):
            rows = items(client.list_trader_leaderboard(window="day", sort_by=way, page_size=20))
            values = [row.pnl if way == "PNL" else row.volume for row in rows]
            expect(rows and values == sorted(values, reverse=True), f"traders by {way}")
    with talk.call(f"{name}.get_trader_leaderboard_standing"):
        standing = eventually(lambda: client.get_trader_leaderboard_standing(user=wallet), "a standing")
        equal(standing.wallet.lower(), wallet.lower(), "whose")
    with talk.call(f"{name}.list_biggest_winners"):
        rows = items(client.list_biggest_winners(window="day"))
        ranks = [row.rank for row in rows]
        equal(ranks, sorted(ranks), "ranks in order")
