"""An approval is true on the chain at once; the order gateway learns of it late, or when it is told to read again."""

from __future__ import annotations

import pytest

from venues.simulator.chain.approvals import CACHE_SECONDS, COLLATERAL, CTF, UNLIMITED, Approvals
from venues.simulator.contracts import AUTO_REDEEM_OPERATOR, CTF_EXCHANGE

pytestmark = pytest.mark.protocol("1.2", "3.8")

WALLET = "0x" + "11" * 20
NOW = 1_790_000_000_000_000_000


def test_what_was_granted_at_the_beginning_is_known_at_once():
    approvals = Approvals()
    approvals.grant_all(WALLET)
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, NOW) == UNLIMITED
    assert approvals.allowance(WALLET, CTF, AUTO_REDEEM_OPERATOR) == UNLIMITED
    assert approvals.allowance("0x" + "22" * 20, COLLATERAL, CTF_EXCHANGE) == 0


def test_a_new_approval_is_shown_after_a_while():
    approvals = Approvals()
    approvals.approve(WALLET, COLLATERAL, CTF_EXCHANGE, 5_000_000, NOW)
    assert approvals.allowance(WALLET, COLLATERAL, CTF_EXCHANGE) == 5_000_000
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, NOW) == 0
    late = NOW + CACHE_SECONDS * 10**9
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, late - 1) == 0
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, late) == 5_000_000


def test_reading_the_chain_again_shows_it_now_and_a_later_change_is_late_again():
    approvals = Approvals()
    approvals.approve(WALLET, COLLATERAL, CTF_EXCHANGE, 5_000_000, NOW)
    approvals.reread(WALLET, NOW + 1)
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, NOW + 2) == 5_000_000
    approvals.approve(WALLET, COLLATERAL, CTF_EXCHANGE, 0, NOW + 3)
    assert approvals.shown(WALLET, COLLATERAL, CTF_EXCHANGE, NOW + 4) == 5_000_000
    assert approvals.allowance(WALLET, COLLATERAL, CTF_EXCHANGE) == 0
