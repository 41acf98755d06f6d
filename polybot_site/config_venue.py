"""The keys of what is traded, and with which wallet. A key that has no home, or two, is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from polybot_site.config_fields import (
    Address,
    Addresses,
    Bytes32,
    Coins,
    Count,
    HttpUrl,
    PaperName,
    Port,
    Price,
    PrivateKey,
    Section,
    Usd,
    WsUrl,
)


class Venue(Section):
    """The venue that is traded."""

    kind: Literal["simulator", "polymarket"] = Field(
        "simulator", description="Simulated venue on this machine, or paper trading on Polymarket (POLYBOT_VENUE)"
    )
    port: Port = Field(8100, description="Port of the simulated venue (POLYBOT_VENUE_PORT)")


class Polymarket(Section):
    """Where Polymarket is. Not used with the simulated venue."""

    clob_host: HttpUrl = Field("https://clob.polymarket.com", description="CLOB REST")
    gamma_host: HttpUrl = Field("https://gamma-api.polymarket.com", description="Market metadata")
    data_host: HttpUrl = Field("https://data-api.polymarket.com", description="What the venue paid a wallet")
    ws_host: WsUrl = Field("wss://ws-subscriptions-clob.polymarket.com", description="Market and user WebSocket")
    relayer_host: HttpUrl = Field(
        "https://relayer-v2.polymarket.com",
        description="Relayer: sends the transactions of proxies, Safes and deposit wallets",
    )
    rpc_host: HttpUrl = Field(
        "https://polygon.drpc.org", description="Node of the chain: reads wallets, sends transactions of plain wallets"
    )
    builder_code: Bytes32 = Field("", description="Builder that orders are credited to, empty for none")
    builder_key: SecretStr | None = Field(None, description="Builder's API key, for the relayer")
    builder_secret: SecretStr | None = Field(None, description="Secret of the builder's API key")
    builder_passphrase: SecretStr | None = Field(None, description="Passphrase of the builder's API key")
    relayer_key: SecretStr | None = Field(None, description="Relayer's API key, instead of a builder's")
    relayer_key_address: Address = Field(
        "", description="Address the relayer's key was made for, empty for the wallet's own"
    )
    chain_id: Annotated[Count, Field(ge=1)] = Field(137, description="Chain that orders are signed for; 137 is Polygon")
    signature_type: Annotated[Count, Field(ge=0, le=3)] = Field(
        0, description="0: plain wallet, 1: proxy, 2: Safe, 3: deposit wallet"
    )


class Wallet(Section):
    """The wallet that trades on a real venue, and where its key is: a private key, a keystore or a signer. The simulated venue makes its own."""

    private_key: PrivateKey = Field(None, description="Private key of the signing wallet, 64 hexadecimal digits")
    keystore: str = Field(
        "", description="Keystore file with the key (`manage.py wallet create`), instead of private_key"
    )
    password: SecretStr | None = Field(None, description="Password of the keystore")
    signer_socket: str = Field("", description="Socket of the `manage.py runsigner` that has the key, instead of both")
    address: Address = Field(
        "", description="Address of the key: any other key is refused; needed with signer_socket, else empty for any"
    )
    safe_address: Address = Field(
        "", description="Wallet that holds the money when it is not the key's own: proxy, Safe or deposit wallet"
    )
    max_gas_cost: Coins = Field(Decimal(1), description="Most that one transaction may pay for gas, in POL")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("private_key", "keystore", "signer_socket") if getattr(self, name)]
        if len(given) > 1:
            names = " and ".join(f"wallet.{name}" for name in given)
            raise ValueError(f"{names} are set together, allowed: one of them (a key has one home)")
        if self.signer_socket and not self.address:
            raise ValueError("wallet.address was empty, allowed: the address of the key that wallet.signer_socket asks")
        return self


class Signer(Section):
    """What `manage.py runsigner` signs. Its process alone has the key, from wallet.keystore or wallet.private_key."""

    socket: str = Field("", description="Socket it listens on, empty for signer/signer.sock in var/")
    trader_user: str = Field("", description="User the trader runs as, empty for the signer's own")
    max_order_notional: Usd = Field(
        Decimal(55), description="What one order may pay, the most of fees included, in dollars"
    )
    max_day_notional: Usd = Field(
        Decimal(1000), description="What the orders of a UTC day may pay, the most of fees included, in dollars"
    )
    max_fee_rate: Price = Field(
        Decimal("0.10"),
        description="Most that fees may add to what an order pays, as a part of it; 0.10 is above every fee of the venue",
    )
    max_order_shares: Usd = Field(Decimal(10_000), description="What one order may sell, in shares")
    max_day_shares: Usd = Field(Decimal(50_000), description="What the orders of a UTC day may sell, in shares")
    max_buy_price: Price = Field(Decimal("0.99"), description="Dearest price that may be bought, in dollars")
    min_sell_price: Price = Field(Decimal("0.001"), description="Cheapest price that may be sold, in dollars")
    orders_per_second: Annotated[Count, Field(ge=1, le=1000)] = Field(20, description="Signatures a second")
    wallet_contracts: Addresses = Field(
        (), description="Contracts of the venue that operations of the wallet may call; none: only orders are signed"
    )


class Paper(Section):
    """Paper trading on a real venue's public data: nothing is sent, no key is needed."""

    name: PaperName = Field(
        "default", description="Account; `manage.py paper reset` begins another one under this name"
    )
    balance: Usd = Field(Decimal(1000), description="What a new account begins with, in dollars")
    send_ms: Annotated[Count, Field(ge=0, le=10_000)] = Field(
        250, description="Time until an order meets the book: the way there, and how old the books we see are"
    )
    answer_ms: Annotated[Count, Field(ge=0, le=10_000)] = Field(50, description="Time until an answer is here")


class Shadow(Section):
    """A paper twin that gets every order of a trading account too, to show how far paper and reality are apart."""

    enabled: bool = Field(False, description="Run the twin; it begins with the account's holdings at each start")
