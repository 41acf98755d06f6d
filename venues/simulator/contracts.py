"""Addresses that the simulated venue names: the figures its clients sign against (Polygon, venue documentation)."""

from __future__ import annotations

CHAIN_ID = 137
ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"

CTF_EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK_EXCHANGE = "0xe2222d279d744050d28e00520010520000310F59"
EXCHANGE_V3 = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
CTF_ADAPTER = "0xAdA100Db00Ca00073811820692005400218FcE1f"
NEG_RISK_ADAPTER = "0xadA2005600Dec949baf300f4C6120000bDB6eAab"
LEGACY_NEG_RISK_ADAPTER = "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296"

PUSD = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"
USDC_E = "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"
CONDITIONAL_TOKENS = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"
WRAPPED_COLLATERAL = "0x3A3BD7bb9528E159577F7C2e685CC81A765002E2"
ONRAMP = "0x93070a847efEf7F70739046A929D47a521F5B8ee"
OFFRAMP = "0x2957922Eb93258b93368531d39fAcCA3B4dC5854"
UMA_ADAPTER = "0x6A9D222616C90FcA5754cd1333cFD9b7fb6a4F74"
AUTO_REDEEM_OPERATOR = "0xa1200000d0002264C9a1698e001292D00E1b00af"
PERPS_DEPOSIT = "0xDCa4af75705dbB50f62437045afF9921947917d2"

POSITION_MANAGER = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF"
ROUTER = "0x12121212006e4CD160D18e3f00711DA5c3372600"
BINARY_MODULE = "0x1000008dD9001B968442c1000017eaE6E0dA00Ba"
NEG_RISK_MODULE = "0x200000900045e3B6259600682756002200028933"

DEPOSIT_WALLET_FACTORY = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
DEPOSIT_WALLET_BEACON = "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a"
DEPOSIT_WALLET_IMPLEMENTATION = "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB"
SAFE_FACTORY = "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b"
PROXY_FACTORY = "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052"
PROXY_IMPLEMENTATION = "0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f"
MULTISEND = "0xA238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761"
RELAY_HUB = "0xD216153c06E857cD7f72665E0aF1d7D82172F494"

SPENDERS = (CTF_EXCHANGE, NEG_RISK_EXCHANGE, CTF_ADAPTER, NEG_RISK_ADAPTER)
"""The contracts whose allowances the balance API shows."""


_POSITION_MASK = ((1 << 64) - 1) << 40


def is_position_id(token_id: str) -> bool:
    """Tell whether a token is a Protocol-V2 position (bits 40 to 103 are zero) and no conditional token."""
    return int(token_id) & _POSITION_MASK == 0


def token_contract(token_id: str) -> str:
    """Return the ERC-1155 contract that an outcome token is of."""
    return POSITION_MANAGER if is_position_id(token_id) else CONDITIONAL_TOKENS


def settling_exchange(token_id: str, *, neg_risk: bool) -> str:
    """Return the contract that settles (and therefore verifies) orders of a token."""
    return EXCHANGE_V3 if is_position_id(token_id) else exchange_of(neg_risk)


def domain_version(exchange: str) -> str:
    """Return the version of the EIP-712 domain that orders of an exchange are signed in."""
    return "3" if exchange == EXCHANGE_V3 else "2"


def exchange_of(neg_risk: bool) -> str:
    """Return the contract that settles orders of conditional tokens."""
    return NEG_RISK_EXCHANGE if neg_risk else CTF_EXCHANGE
