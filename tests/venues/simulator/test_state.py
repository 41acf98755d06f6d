"""A venue remembers: through a stop, a kill at any moment, and a torn file; what is damaged otherwise is refused."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from pathlib import Path

import pytest

from tests.venues.simulator.kit import START_NS, WARM_SECONDS, CountingIds, ManualClock, Trader, running_venue, trader
from venues.simulator.inputs import CreateKey, Fund, Tick
from venues.simulator.persistence import freeze, layout, thaw
from venues.simulator.state_log import Snapshot, StateLog, StateLogError
from venues.simulator.venue import Options, Venue
from venues.simulator.world.settlement import Settlement

KEEP = Options()


def files(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"{kind}-*"))


def killed_copy(folder: Path, to: Path) -> Path:
    """What a kill -9 leaves on disk at this moment."""
    return Path(shutil.copytree(folder, to))


def reopen(folder: Path, clock: ManualClock, options: Options = KEEP) -> Venue:
    return Venue.open(folder, clock, CountingIds(), options)


def later() -> ManualClock:
    return ManualClock(START_NS + (WARM_SECONDS + 60) * 10**9)


async def test_a_killed_venue_goes_on_with_keys_orders_trades_and_balances(venue_folder, tmp_path):
    async with running_venue(venue_folder) as venue:
        client = await trader(venue)
        market = await venue.some_market()
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        _, matched = await client.place(market, "BUY", book["asks"][-1]["price"], "10", "FAK", spend="5.00")
        _, resting = await client.place(market, "BUY", "0.02", "10")
        venue.pass_time(3)
        before = venue.venue.world
        copy = killed_copy(venue_folder, tmp_path / "killed")
        clock, key = venue.clock, client.key
        state, mark = before.exchange.state_hash(), before.mark()
    async with running_venue(copy, clock=clock) as again:
        assert (again.venue.world.exchange.state_hash(), again.venue.world.mark()) == (state, mark)
        back = Trader(again, "0x" + f"{1:064x}")
        back.key = key
        _, orders = await back.call("GET", "/data/orders")
        assert [order["id"] for order in orders["data"]] == [resting["orderID"]]
        again.pass_time(5)
        _, trades = await back.call("GET", "/data/trades")
        assert [trade["id"] for trade in trades["data"]] == matched["tradeIDs"]
        assert trades["data"][0]["status"] == "TRADE_STATUS_CONFIRMED"
        _, held = await back.call("GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=market["tokens"][0])
        assert int(held["balance"]) == round(float(matched["takingAmount"]) * 1e6)


def test_a_torn_last_line_is_cut_off(venue_folder, tmp_path):
    clock = later()
    venue = reopen(venue_folder, clock)
    venue.submit(CreateKey("0x" + "11" * 20, 0))
    venue.submit(CreateKey("0x" + "22" * 20, 0))
    copy = killed_copy(venue_folder, tmp_path / "killed")
    venue.close()
    (log,) = files(copy, "log")
    log.write_bytes(log.read_bytes()[:-10])
    again = reopen(copy, clock)
    assert again.world.wallets.derive_key("0x" + "11" * 20, 0)
    assert again.world.wallets.derive_key("0x" + "22" * 20, 0) is None
    again.close()


@pytest.mark.parametrize("damage", ["byte", "line", "snapshot", "gap"])
def test_any_other_damage_is_refused_and_named(venue_folder, tmp_path, damage):
    clock = later()
    venue = reopen(venue_folder, clock)
    for number in range(4):
        venue.submit(CreateKey("0x" + f"{number}" * 40, 0))
    copy = killed_copy(venue_folder, tmp_path / "killed")
    venue.close()
    (log,), (snapshot,) = files(copy, "log"), files(copy, "snapshot")
    lines = log.read_bytes().splitlines(keepends=True)
    if damage == "byte":
        lines[1] = lines[1].replace(b"key", b"kez")
    elif damage == "line":
        lines[1] = b"\n"
    elif damage == "gap":
        del lines[1]
    log.write_bytes(b"".join(lines))
    if damage == "snapshot":
        raw = bytearray(snapshot.read_bytes())
        raw[len(raw) // 2] ^= 1
        snapshot.write_bytes(raw)
    name = "snapshot" if damage == "snapshot" else "line 2"
    with pytest.raises(StateLogError, match=f"{name}.*make fresh"):
        reopen(copy, clock)
    fresh = reopen(copy, clock, Options(seed=1, fresh=True))
    assert not fresh.world.wallets.derive_key("0x" + "0" * 40, 0)
    fresh.close()


def test_a_kill_between_the_new_log_and_its_snapshot_loses_nothing(venue_folder, tmp_path):
    clock = later()
    venue = reopen(venue_folder, clock)
    venue.submit(CreateKey("0x" + "11" * 20, 0))
    venue._log.rotate()
    venue.submit(CreateKey("0x" + "22" * 20, 0))
    copy = killed_copy(venue_folder, tmp_path / "killed")
    venue.close()
    assert len(files(copy, "log")) == 2
    assert len(files(copy, "snapshot")) == 1
    again = reopen(copy, clock)
    assert again.world.wallets.derive_key("0x" + "11" * 20, 0)
    assert again.world.wallets.derive_key("0x" + "22" * 20, 0)
    again.close()
    assert len(files(copy, "log")) == len(files(copy, "snapshot")) == 1


def test_fresh_begins_another_venue_with_other_ids(venue_folder):
    first = reopen(venue_folder, later())
    venue_id, tokens = first.world.genesis.venue_id, {one.spec.token_ids[0] for one in first.world.listings.open()}
    first.close()
    ids = CountingIds()
    ids.uuid()
    second = Venue.open(venue_folder, later(), ids, Options(seed=7, fresh=True))
    assert second.world.genesis.venue_id != venue_id
    assert not tokens & {one.spec.token_ids[0] for one in second.world.listings.open()}
    second.close()


def test_another_seed_needs_another_venue(venue_folder):
    with pytest.raises(StateLogError, match=r"seed 7, not 8.*make fresh"):
        reopen(venue_folder, later(), Options(seed=8))
    reopen(venue_folder, later(), Options(seed=7)).close()


def half(_file: int, _data: bytes, write=os.write) -> int:
    return write(_file, _data[:5])


def nothing(_file: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("full_disk", [half, nothing])
def test_a_full_disk_stops_the_venue_and_spoils_nothing(venue_folder, monkeypatch, full_disk):
    venue = reopen(venue_folder, later())
    monkeypatch.setattr(os, "write", full_disk)
    with pytest.raises(StateLogError, match="disk"):
        venue.submit(CreateKey("0x" + "11" * 20, 0))
    monkeypatch.undo()
    assert venue.world.wallets.derive_key("0x" + "11" * 20, 0) is None
    venue.submit(CreateKey("0x" + "22" * 20, 0))
    venue._log.close()
    again = reopen(venue_folder, later())
    assert again.world.wallets.derive_key("0x" + "22" * 20, 0)
    again.close()


def test_a_venue_that_cannot_store_its_last_snapshot_says_so_and_lets_go_of_its_folder(venue_folder, monkeypatch):
    venue = reopen(venue_folder, later())
    venue.submit(CreateKey("0x" + "33" * 20, 0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: nothing(file, b""))
        with pytest.raises(StateLogError, match=r"disk.*No space left"):
            venue.close()
    again = reopen(venue_folder, later())
    assert again.world.wallets.derive_key("0x" + "33" * 20, 0)
    again.close()


def test_a_second_venue_on_the_same_state_is_refused(venue_folder):
    first = reopen(venue_folder, later())
    with pytest.raises(StateLogError, match="another simulated venue is running"):
        reopen(venue_folder, later())
    first.close()


def test_a_venue_that_was_off_for_a_day_catches_up(venue_folder):
    first = reopen(venue_folder, later())
    open_before = {one.event.id for one in first.world.listings.open()}
    first.close()
    clock = ManualClock(START_NS + 86_400 * 10**9)
    venue = reopen(venue_folder, clock)
    for _ in range(300):
        clock.move(0.25)
        venue.submit(Tick(venue.world.mark()))
    listings = venue.world.listings.open()
    assert len({one.event.id for one in listings} - open_before) >= 5
    assert len({one.event.id for one in listings}) == 12
    assert all(one.event.end_ns > clock.now_ns() for one in listings)
    for one in listings:
        bid, ask = venue.world.exchange.best(one.spec.token_ids[0])
        assert 0 < bid < ask < 1_000_000
    venue.close()


def test_time_that_goes_back_is_taken_as_standing_still(venue_folder):
    clock = later()
    venue = reopen(venue_folder, clock)
    venue.submit(Tick(venue.world.mark()))
    now = venue.world.now_ns
    clock.move(-3600)
    venue.submit(Tick(venue.world.mark()))
    assert venue.world.now_ns == now
    venue.close()


def test_state_of_another_layout_is_refused_by_name(venue_folder):
    log = StateLog(venue_folder)
    snapshot, _ = log.load()
    number = log.rotate()
    log.write_snapshot(number, Snapshot(snapshot.sequence, "another", snapshot.state))
    log.close()
    with pytest.raises(StateLogError, match=r"another version of polybot.*make fresh"):
        reopen(venue_folder, later())


def test_another_attribute_of_a_plain_class_is_another_layout(monkeypatch):
    def made_otherwise(self, floor, retrying, failing):
        self._something_new = floor, retrying, failing

    before = layout()
    monkeypatch.setattr(Settlement, "__init__", made_otherwise)
    assert layout() != before


def test_a_replay_that_leads_elsewhere_is_refused(venue_folder, tmp_path):
    clock = later()
    venue = reopen(venue_folder, clock)
    venue.submit(Tick(venue.world.mark()))
    venue.submit(Tick(venue.world.mark() ^ 1))
    copy = killed_copy(venue_folder, tmp_path / "killed")
    venue.close()
    with pytest.raises(StateLogError, match="led elsewhere at record"):
        reopen(copy, clock)


def test_a_frozen_world_and_its_thawed_copy_go_the_same_way(venue_folder):
    clock = later()
    venue = reopen(venue_folder, clock)
    copy = thaw(freeze(venue.world))
    for number in range(200):
        clock.move(0.1)
        event = Fund("0x" + "11" * 20, "0x" + "11" * 20, 0, 5) if number == 50 else Tick(0)
        assert venue.submit(event) == copy.apply(clock.now_ns(), event)
    assert venue.world.exchange.state_hash() == copy.exchange.state_hash()
    venue.close()


class Evil:
    def __reduce__(self):
        return (print, ("ran",))


def test_a_snapshot_cannot_name_foreign_code(capsys):
    with pytest.raises(StateLogError, match="cannot be read"):
        thaw(pickle.dumps(Evil()))
    assert capsys.readouterr().out == ""
