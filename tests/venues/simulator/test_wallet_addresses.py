"""Addresses of smart wallets are those the venue's contracts compute."""

from __future__ import annotations

import pytest

from tests.venues.simulator.test_signatures import VECTORS
from venues.simulator.chain import wallet_addresses


@pytest.mark.protocol("1.2", "2.6")
def test_every_kind_of_wallet_has_the_published_address():
    published = VECTORS["derived_wallets"]
    owner = published["owner"]
    assert wallet_addresses.deposit_wallet(owner) == published["deposit_wallet_beacon"]
    assert wallet_addresses.legacy_deposit_wallet(owner) == published["deposit_wallet_uups_legacy"]
    assert wallet_addresses.proxy_wallet(owner) == published["proxy"]
    assert wallet_addresses.safe_wallet(owner) == published["safe"]
