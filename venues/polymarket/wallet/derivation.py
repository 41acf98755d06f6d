"""Which wallets belong to a key: their addresses follow from the owner's (CREATE2), so a wrong signature type is found without asking anybody.

Source: EIP-1014 and the creation code of the factories' proxies (ERC-1967 with and without a beacon, the proxy factory's clone). A configured
wallet that is another kind than the configured one raises `ValueError` naming the kind it is; one that is none of the owner's is left alone,
because a session key may act for a stranger's wallet.
"""

from __future__ import annotations

from typing import NamedTuple

from venues.polymarket.eip712 import address_bytes, address_word, checksum_address, keccak
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet import contracts

_BEACON_PROXY = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50545afa5036515af4"
    "3d6000803e604d573d6000fd5b3d6000f3"
)
_UUPS_PROXY = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_CLONE_HEAD = bytes.fromhex("3d3d606380380380913d393d73")
_CLONE_MIDDLE = bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
_CLONE_TAIL = bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd") + (32).to_bytes(32, "big") + bytes(32)

KIND_NAMES = {
    SignatureType.EOA: "plain wallet",
    SignatureType.POLY_PROXY: "proxy",
    SignatureType.POLY_GNOSIS_SAFE: "Safe",
    SignatureType.POLY_1271: "deposit wallet",
}


class OwnedWallets(NamedTuple):
    """The addresses of every wallet one key may own. `old_deposit_wallet` is where wallets made before July 2026 are."""

    owner: str
    proxy: str
    safe: str
    deposit_wallet: str
    old_deposit_wallet: str

    def kind_of(self, wallet: str) -> SignatureType | None:
        """Return the signature type of one of these wallets, None for any other address."""
        kinds = {
            self.owner: SignatureType.EOA,
            self.proxy: SignatureType.POLY_PROXY,
            self.safe: SignatureType.POLY_GNOSIS_SAFE,
            self.deposit_wallet: SignatureType.POLY_1271,
            self.old_deposit_wallet: SignatureType.POLY_1271,
        }
        return next((kind for address, kind in kinds.items() if address.lower() == wallet.lower()), None)


def wallets_of(owner: str) -> OwnedWallets:
    """Return the wallets of an owner's address."""
    factory = address_bytes(contracts.DEPOSIT_WALLET_FACTORY)
    arguments = address_word(contracts.DEPOSIT_WALLET_FACTORY) + address_word(owner)
    beacon = b"\x61" + (0x52 + len(arguments)).to_bytes(2, "big") + bytes.fromhex("3d8160233d3973")
    beacon += address_bytes(contracts.DEPOSIT_WALLET_BEACON) + _BEACON_PROXY + arguments
    uups = b"\x61" + (0x3D + len(arguments)).to_bytes(2, "big") + bytes.fromhex("3d8160233d3973")
    uups += address_bytes(contracts.DEPOSIT_WALLET_IMPLEMENTATION) + _UUPS_PROXY + arguments
    proxy_factory = address_bytes(contracts.PROXY_FACTORY)
    clone = _CLONE_HEAD + proxy_factory + _CLONE_MIDDLE
    clone += address_bytes(contracts.PROXY_IMPLEMENTATION) + _CLONE_TAIL
    return OwnedWallets(
        owner=owner,
        proxy=_created(proxy_factory, keccak(address_bytes(owner)), keccak(clone)),
        safe=_created(
            address_bytes(contracts.SAFE_FACTORY), keccak(address_word(owner)), contracts.SAFE_INIT_CODE_HASH
        ),
        deposit_wallet=_created(factory, keccak(arguments), keccak(beacon)),
        old_deposit_wallet=_created(factory, keccak(arguments), keccak(uups)),
    )


def check_wallet(owner: str, wallet: str, configured: SignatureType) -> None:
    """Refuse a signature type that is not the wallet's: the venue would read another wallet and report a balance of 0."""
    kind = wallets_of(owner).kind_of(wallet)
    if kind is not None and kind is not configured:
        raise ValueError(
            f"signature_type was {int(configured)} ({KIND_NAMES[configured]}), but {wallet} is the {KIND_NAMES[kind]} of {owner}: "
            f"set polymarket.signature_type to {int(kind)}"
        )


def _created(factory: bytes, salt: bytes, code_hash: bytes) -> str:
    return checksum_address(keccak(b"\xff" + factory + salt + code_hash)[-20:])
