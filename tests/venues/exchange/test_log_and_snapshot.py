"""The command log and the snapshot: two ways to the same state."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from tests.venues.exchange.kit import BUY, FAK, GTC, GTD, SECOND, SELL, START, Venue, d
from venues.exchange import Exchange
from venues.exchange import commands as c
from venues.exchange import events as e


@pytest.fixture
def venue() -> Venue:
    """A venue in the middle of everything: resting, delayed, expiring orders; trades in every state."""
    venue = Venue(fees=FeeSchedule(rate=40_000), taker_delay_ms=1_000)
    for account in ("bob", "ann"):
        venue.fund(account, "1000", pairs="100")
    venue.place("bob", SELL, "yes", "0.50", "10")
    venue.place("bob", SELL, "yes", "0.50", "20")
    venue.place("ann", BUY, "yes", "0.50", "15")
    venue.after(2)
    venue.settle(FillStatus.MINED)
    venue.place("ann", BUY, "yes", "0.30", "15", GTD, expiration_s=START // SECOND + 600)
    venue.place("ann", BUY, "yes", "0.50", "5", FAK)
    return venue


def test_a_log_of_commands_read_back_leads_to_the_same_state(venue):
    decoder = msgspec.json.Decoder(tuple[int, c.Command])
    again = Exchange("test-venue")
    for line in [msgspec.json.encode(entry) for entry in venue.log]:
        again.step(*decoder.decode(line))
    assert again.state_hash() == venue.exchange.state_hash()


def test_a_snapshot_goes_on_as_if_nothing_had_happened(venue):
    again = Exchange.load(venue.exchange.dump())
    assert again.state_hash() == venue.exchange.state_hash()
    later = venue.now + 700 * SECOND
    command = c.PlaceOrder("next", "ann", "m:yes", BUY, GTC, d("25"), d("50"))
    expected = venue.exchange.step(later, command)
    assert again.step(later, command) == expected
    assert {type(event) for event in expected} >= {e.TradeMatched, e.OrderCanceled, e.OrderAccepted}
    assert again.state_hash() == venue.exchange.state_hash()


def test_the_state_hash_tells_states_apart(venue):
    before = venue.exchange.state_hash()
    venue.do(c.Deposit("ann", 1))
    assert venue.exchange.state_hash() != before


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x80"])
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(ValueError, match="snapshot cannot be read"):
        Exchange.load(data)


def test_a_snapshot_of_another_version_is_refused(venue):
    image = msgspec.msgpack.decode(venue.exchange.dump())
    image["version"] = 99
    with pytest.raises(ValueError, match="snapshot version was 99, expected 2"):
        Exchange.load(msgspec.msgpack.encode(image))


@pytest.mark.protocol("9.5")
@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(500, 3_000), min_size=1, max_size=6), taker=st.integers(500, 9_000), buys=st.booleans()
)
def test_failing_every_trade_of_an_order_restores_every_balance(sizes, taker, buys):
    venue = Venue(fees=FeeSchedule(rate=40_000))
    venue.fund("ann", "1000", pairs="200")
    venue.fund("bob", "1000", pairs="500")
    for number, size in enumerate(sizes):
        token, side = ("yes", SELL if buys else BUY) if number % 2 else ("no", BUY if buys else SELL)
        price = ("0.50", "0.52")[number // 2 % 2]
        venue.place("bob", side, token, price, f"{size / 100:.2f}")
    before = {a: venue.exchange.balances(a) for a in ("ann", "bob")}
    venue.place("ann", BUY if buys else SELL, "yes", "0.52" if buys else "0.48", f"{taker / 100:.2f}", FAK)
    venue.settle(FillStatus.FAILED)
    for account, balances in before.items():
        for asset, balance in balances.items():
            now = venue.exchange.balance(account, asset)
            assert (now.settled, now.outgoing, now.incoming) == (balance.settled, 0, 0)
            assert now.available + now.reserved == balance.available + balance.reserved
    assert venue.cash("venue") == e.Balance()
