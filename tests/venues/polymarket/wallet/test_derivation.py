"""Wallet addresses follow from the owner's, and a signature type that is not the wallet's is refused before anything is read with it."""

import pytest

from domain.errors import VenueError
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import alone
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.derivation import check_wallet, wallets_of
from venues.polymarket.wallet.opening import open_wallet

WALLETS = VECTORS["derived_wallets"]
KINDS = [
    (WALLETS["proxy"], SignatureType.POLY_PROXY),
    (WALLETS["safe"], SignatureType.POLY_GNOSIS_SAFE),
    (WALLETS["deposit_wallet_beacon"], SignatureType.POLY_1271),
    (WALLETS["deposit_wallet_uups_legacy"], SignatureType.POLY_1271),
    (WALLETS["owner"], SignatureType.EOA),
]


@pytest.mark.protocol("1.2", "2.6")
def test_the_wallets_of_an_owner_are_where_their_factories_create_them() -> None:
    found = wallets_of(WALLETS["owner"])
    assert (found.proxy, found.safe, found.deposit_wallet, found.old_deposit_wallet) == (
        WALLETS["proxy"],
        WALLETS["safe"],
        WALLETS["deposit_wallet_beacon"],
        WALLETS["deposit_wallet_uups_legacy"],
    )


@pytest.mark.protocol("9.9")
@pytest.mark.parametrize(("wallet", "kind"), KINDS)
def test_only_the_wallets_own_signature_type_passes_and_the_refusal_names_it(wallet: str, kind: SignatureType) -> None:
    check_wallet(ADDRESS, wallet.lower(), kind)
    for other in set(SignatureType) - {kind}:
        with pytest.raises(
            ValueError, match=f"signature_type was {int(other)} .*set polymarket.signature_type to {int(kind)}"
        ):
            check_wallet(ADDRESS, wallet, other)


def test_a_strangers_wallet_is_left_to_the_venue_because_a_session_key_may_act_for_it() -> None:
    for kind in SignatureType:
        check_wallet(ADDRESS, "0x" + "12" * 20, kind)


@pytest.mark.protocol("9.9")
async def test_pitfall_9_a_wrong_signature_type_reads_0_so_it_is_refused_at_start_with_the_fix() -> None:
    config = PolymarketConfig(
        account="live:test",
        clob_url="http://127.0.0.1:1",
        signature_type=SignatureType.POLY_PROXY,
        funder=WALLETS["deposit_wallet_beacon"],
    )
    with pytest.raises(VenueError, match=r"is the deposit wallet of .*: set polymarket.signature_type to 3"):
        await open_wallet(
            config, LocalSigner(PRIVATE_KEY), None, clock=SystemClock(), budgets=alone(), log=None, max_gas_cost=1
        )
