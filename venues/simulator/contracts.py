"""Addresses that the simulated venue names: the figures its clients sign against (Polygon, venue documentation)."""

from __future__ import annotations

CHAIN_ID = 137
CTF_EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK_EXCHANGE = "0xe2222d279d744050d28e00520010520000310F59"
CTF_ADAPTER = "0xAdA100Db00Ca00073811820692005400218FcE1f"
NEG_RISK_ADAPTER = "0xadA2005600Dec949baf300f4C6120000bDB6eAab"

SPENDERS = (CTF_EXCHANGE, NEG_RISK_EXCHANGE, CTF_ADAPTER, NEG_RISK_ADAPTER)
"""Contracts a wallet must have approved; every simulated wallet has."""


def exchange_of(neg_risk: bool) -> str:
    """Return the contract that settles (and therefore verifies) orders of a market."""
    return NEG_RISK_EXCHANGE if neg_risk else CTF_EXCHANGE
