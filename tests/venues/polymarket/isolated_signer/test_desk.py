"""The day's limits, the rate, and what survives a restart."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.venues.polymarket.isolated_signer.kit import (
    DOLLAR,
    FIVE_WITH_FEES,
    NOW_S,
    SHARE,
    STRANGER,
    Watch,
    key_request,
    order,
    policy,
    sale,
    wallet_statements,
)
from tests.venues.polymarket.isolated_signer.kit import call as approval
from tests.venues.polymarket.vectors import PRIVATE_KEY
from venues.polymarket.isolated_signer import desk as desk_module
from venues.polymarket.isolated_signer.desk import SignerDesk
from venues.polymarket.isolated_signer.policy import Charge
from venues.polymarket.isolated_signer.refusal import Code, RefusedError
from venues.polymarket.isolated_signer.spending import Spending, SpendingError
from venues.polymarket.isolated_signer.wallet_calls import VENUE_CONTRACTS
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.statements import PlainTransaction

DAY = 86_400
LARGEST = Charge(policy().max_order_notional, policy().max_order_shares)


class Desks:
    """One signer after the other on the same disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.watch = Watch()

    def start(self, **changes: object) -> SignerDesk:
        limits = policy(**changes)
        spending = Spending(self.folder, self.watch, LARGEST)
        return SignerDesk(LocalSigner(PRIVATE_KEY), limits, spending, self.watch)

    @property
    def file(self) -> Path:
        return max(self.folder.iterdir())


@pytest.fixture
def desks(tmp_path):
    return Desks(tmp_path / "signed")


def refusal(desk: SignerDesk, statement: object) -> Code:
    with pytest.raises(RefusedError) as caught:
        desk.sign(statement)
    return caught.value.code


def fifty(salt: int = 1):
    return order(salt=salt, maker_amount=50 * DOLLAR, taker_amount=100 * SHARE)


def test_the_same_signature_comes_out_as_from_a_key_in_the_trader(desks):
    local = LocalSigner(PRIVATE_KEY)
    for statement in (order(), sale(10 * SHARE, 5 * DOLLAR), key_request()):
        assert desks.start().sign(statement) == (statement.digest, local.sign_now(statement))


def test_the_days_dollars_run_out_and_are_there_again_on_the_next_day(desks):
    desk = desks.start()
    for salt in range(4):
        desk.sign(fifty(salt))
    assert refusal(desk, order()) is Code.DAY_NOTIONAL
    desk.sign(sale(10 * SHARE, 5 * DOLLAR))
    desk.sign(key_request())
    desks.watch.seconds += DAY
    desk.sign(order())
    assert desk.spending.spent == Charge(FIVE_WITH_FEES, 0)


def test_the_days_shares_run_out_by_themselves(desks):
    desk = desks.start()
    for salt in range(4):
        desk.sign(sale(500 * SHARE, 200 * DOLLAR, salt=salt))
    assert refusal(desk, sale(SHARE, DOLLAR // 2)) is Code.DAY_SHARES
    desk.sign(order())


def test_a_restart_a_clock_put_back_and_a_second_day_forget_nothing(desks):
    desks.start().sign(fifty())
    desks.watch.seconds += DAY
    desks.start().sign(fifty())
    desks.watch.seconds -= DAY
    desk = desks.start()
    assert desk.spending.spent == Charge(55 * DOLLAR, 0)
    for salt in (2, 3, 4):
        desk.sign(fifty(salt))
    assert refusal(desks.start(), order()) is Code.DAY_NOTIONAL


def test_a_refused_order_counts_for_nothing(desks):
    desk = desks.start()
    refusal(desk, order(maker=STRANGER))
    assert desk.spending.spent == Charge()
    assert desks.file.read_bytes() == b""


def test_the_record_names_every_order_and_holds_no_secret(desks):
    desk = desks.start()
    digest, signature = desk.sign(order())
    (line,) = desks.file.read_text().splitlines()
    assert json.loads(line) == {"ms": NOW_S * 1000, "digest": digest.hex(), "notional": FIVE_WITH_FEES, "shares": 0}
    assert signature.hex() not in line
    assert desks.file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_power_failure_cut_off_counts_as_the_largest_order(desks):
    desks.start().sign(order())
    with desks.file.open("a") as file:
        file.write('{"ms":17')
    for _ in range(2):
        assert desks.start().spending.spent == Charge(FIVE_WITH_FEES + 55 * DOLLAR, 500 * SHARE)


@pytest.mark.parametrize("line", ["nonsense", '{"ms":1,"digest":"","notional":-5,"shares":0}', "{}"])
def test_a_record_that_cannot_be_read_stops_the_start_and_names_the_line(desks, line):
    desks.start().sign(order())
    with desks.file.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(SpendingError, match=r"line 2 of .*jsonl cannot be read"):
        desks.start()


def test_a_new_day_whose_record_cannot_be_read_signs_nothing_until_it_is_mended(desks):
    desk = desks.start()
    desk.sign(order())
    desks.watch.seconds += DAY
    tomorrow = desks.folder / "2026-09-22.jsonl"
    tomorrow.write_text("nonsense\n")
    assert refusal(desk, order(salt=2)) is Code.MEMORY
    with pytest.raises(RefusedError, match="cannot be read"):
        desk.status(1)
    tomorrow.unlink()
    desk.sign(order(salt=2))
    assert (desk.spending.day, desk.spending.spent) == ("2026-09-22", Charge(FIVE_WITH_FEES, 0))


def test_what_cannot_be_kept_is_not_signed(desks, monkeypatch):
    desk = desks.start()

    def full(_file: int, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert refusal(desk, order()) is Code.MEMORY
    assert desk.spending.spent == Charge()
    desk.sign(order())


def test_a_line_of_which_the_disk_took_a_part_leaves_no_trace(desks, monkeypatch):
    desk = desks.start()
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, content: write(file, content[:9]))
        assert refusal(desk, order()) is Code.MEMORY
    desk.sign(order())
    assert desks.start().spending.spent == Charge(FIVE_WITH_FEES, 0)


def test_no_more_signatures_a_second_than_allowed(desks):
    desk = desks.start(orders_per_second=3)
    for _ in range(3):
        desk.sign(key_request())
    assert refusal(desk, key_request()) is Code.RATE
    assert refusal(desk, order()) is Code.RATE
    assert desk.spending.spent == Charge()
    desks.watch.seconds += 0.4
    desk.sign(order())
    assert refusal(desk, order()) is Code.RATE
    desks.watch.seconds += 0.5
    desk.sign(order(salt=2))


def test_a_statement_that_fits_no_encoding_is_refused(desks):
    desk = desks.start(wallet_contracts=frozenset(VENUE_CONTRACTS), max_gas_cost=10**30)
    assert refusal(desk, order(timestamp=1 << 256)) is Code.MALFORMED
    assert refusal(desk, order(salt=-1)) is Code.MALFORMED
    assert refusal(desk, key_request(nonce=-1)) is Code.MALFORMED
    batch = wallet_statements(STRANGER, approval())[SignatureType.POLY_1271]
    assert refusal(desk, batch) is Code.SIGNATURE_TYPE
    plain = PlainTransaction(1, 30 * 10**9, 100_000, approval(), 137)
    assert desk.sign(plain).digest == plain.digest


def test_every_refusal_is_counted_and_a_flood_of_them_does_not_fill_the_log(desks, monkeypatch):
    desk = desks.start()
    logs = []
    # A logger that an earlier test has used is bound to that test's configuration.
    monkeypatch.setattr(desk_module, "_log", SimpleNamespace(warning=lambda event, **fields: logs.append(fields)))
    for _ in range(500):
        refusal(desk, order(maker=STRANGER))
    refusal(desk, order(chain_id=1))
    desks.watch.seconds += 1
    refusal(desk, order(maker=STRANGER))
    assert desk.refused == {"wallet": 501, "chain": 1}
    assert [(line["code"], line["times"]) for line in logs] == [("wallet", 1), ("chain", 1), ("wallet", 501)]
    status = desk.status(7)
    assert (status.id, status.signed, status.refused) == (7, 0, {"wallet": 501, "chain": 1})
