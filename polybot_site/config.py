"""What can be configured: every key with its type, default, range and help.

Values come from `config.toml` and from the environment (`POLYBOT_TRADING__MAX_ORDER_NOTIONAL=20`); the environment wins. A key is declared
here when something reads it, not before. Loading, sources and error messages: `polybot_site.config_loader`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from polybot_site.config_fields import (
    Address,
    Addresses,
    Bytes32,
    Coins,
    Count,
    Duration,
    HostPort,
    HttpUrl,
    Names,
    Number,
    PaperName,
    Port,
    Price,
    PrivateKey,
    Section,
    Usd,
    WsUrl,
)

Mode = Literal["trade", "monitor", "full"]


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


class Venue(Section):
    """The venue that is traded."""

    kind: Literal["simulator", "polymarket"] = Field(
        "simulator", description="Simulated venue on this machine, or paper trading on Polymarket (POLYBOT_VENUE)"
    )
    port: Port = Field(8100, description="Port of the simulated venue (POLYBOT_VENUE_PORT)")


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


class Database(Section):
    """PostgreSQL 15 or newer. With an empty host polybot runs its own server."""

    host: str = Field("", description="Host name, empty for the embedded server")
    port: Port = Field(5432, description="Port of an external server")
    database: str = Field("polybot", min_length=1, description="Database of an external server")
    user: str = Field("polybot", min_length=1, description="User at an external server")
    password: SecretStr | None = Field(None, description="Password at an external server")
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(
        "require", description="TLS to an external server"
    )
    run_migrations: bool = Field(True, description="Bring the tables up to date at start")
    url: SecretStr | None = Field(None, description="Whole URL, instead of the keys above (DATABASE_URL)")

    def external_url(self) -> str | None:
        """Return the URL of the configured server, None when the embedded one serves."""
        if self.url is not None:
            return self.url.get_secret_value()
        if not self.host:
            return None
        login = quote(self.user, safe="")
        if self.password is not None:
            login += ":" + quote(self.password.get_secret_value(), safe="")
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(self.database)}?sslmode={self.ssl_mode}"


class Redis(Section):
    """Redis or Valkey 7.0 or newer. With an empty address polybot runs its own server."""

    addr: HostPort = Field("", description="Server, empty for the embedded one")
    password: SecretStr | None = Field(None, description="Password at an external server")
    db: Annotated[Count, Field(ge=0, le=15)] = Field(0, description="Database number at an external server")
    tls_enabled: bool = Field(False, description="TLS to an external server")
    url: SecretStr | None = Field(None, description="Whole URL, instead of addr, password, db, TLS (REDIS_URL)")

    def external_url(self) -> str | None:
        """Return the URL of the configured server, None when the embedded one serves."""
        if self.url is not None:
            return self.url.get_secret_value()
        if not self.addr:
            return None
        scheme = "rediss" if self.tls_enabled else "redis"
        login = "" if self.password is None else f":{quote(self.password.get_secret_value(), safe='')}@"
        return f"{scheme}://{login}{self.addr}/{self.db}"


class FlashCrash(Section):
    """Buys a sudden fall and sells the recovery."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    drop_threshold: Annotated[Price, Field(ge=Decimal("0.001"))] = Field(
        Decimal("0.10"), description="Fall from the recent high that counts as a crash, in dollars"
    )
    recovery_target: Annotated[Price, Field(ge=Decimal("0.001"))] = Field(
        Decimal("0.05"), description="Rise above the entry at which the position is sold, in dollars"
    )


class MeanReversion(Section):
    """Buys far below the recent middle and sells on the way back."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    std_dev_threshold: Annotated[Number, Field(ge=0.5, le=20)] = Field(
        2.0, description="Distance from the middle that is traded, in standard deviations"
    )
    lookback_window: Annotated[Duration, Field(ge=timedelta(seconds=10), le=timedelta(hours=1))] = Field(
        timedelta(minutes=5), description="History the middle is taken from"
    )


class RebalancingArb(Section):
    """Buys NO of every outcome of an exclusive event where that costs less than it must pay."""

    enabled: bool = Field(True, description="Run this strategy when it is in strategy.active")
    min_edge_bps: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        50, description="What a set must bring after fees, in hundredths of a percent of a dollar"
    )
    max_group_size: Annotated[Count, Field(ge=2, le=15)] = Field(10, description="Most outcomes of an event")
    size_per_leg: Usd = Field(Decimal(5), description="What the dearest leg of a set may spend, in dollars")
    ttl_seconds: Annotated[Count, Field(ge=1, le=300)] = Field(30, description="How long a signal is good")
    max_stale_sec: Annotated[Count, Field(ge=1, le=60)] = Field(5, description="Oldest book of a leg, in seconds")


class Strategy(Section):
    """Which strategies run, and what they share. A strategy's stored parameters start from these and are edited in the admin."""

    active: Names = Field(("flash_crash", "mean_reversion", "rebalancing_arb"), description="Strategies to run")
    size: Usd = Field(Decimal(10), description="What one entry may spend, in dollars")
    max_positions: Annotated[Count, Field(ge=1, le=1000)] = Field(5, description="Open positions per strategy")
    take_profit: Price = Field(Decimal("0.10"), description="Rise above the entry that takes the profit, in dollars")
    stop_loss: Price = Field(Decimal("0.05"), description="Fall below the entry that stops the loss, in dollars")
    flash_crash: FlashCrash = Field(default_factory=FlashCrash)
    mean_reversion: MeanReversion = Field(default_factory=MeanReversion)
    rebalancing_arb: RebalancingArb = Field(default_factory=RebalancingArb)


class Trading(Section):
    """Limits every order passes, whoever wants it. They stop new risk, never an exit."""

    live: bool = Field(False, description="Trade real money")
    max_order_notional: Usd = Field(Decimal(50), description="One order, in dollars")
    max_market_notional: Usd = Field(Decimal(200), description="All positions and orders of one market, in dollars")
    max_event_notional: Usd = Field(
        Decimal(300), description="Loss in the worst outcome of one event, with all orders there, in dollars"
    )
    max_venue_notional: Usd = Field(Decimal(1000), description="All positions and orders at one venue, in dollars")
    max_total_notional: Usd = Field(Decimal(1000), description="All positions and orders, in dollars")
    max_open_positions: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        20, description="Open positions of all strategies"
    )
    max_book_age_ms: Annotated[Count, Field(ge=50, le=600_000)] = Field(
        60_000, description="Silence of a book after which it is too old to trade on, in milliseconds"
    )
    max_slippage: Price = Field(
        Decimal("0.05"), description="Most that a purchase may pay above the best ask, in dollars a share"
    )
    max_daily_loss: Usd = Field(
        Decimal(100),
        description="Loss since midnight UTC, at the best bids, that halts everything for the day, in dollars",
    )
    max_session_loss: Usd = Field(
        Decimal(200),
        description="Loss in the session, which restarts do not end but a break of 15 minutes does, that halts everything, in dollars",
    )
    max_drawdown: Usd = Field(
        Decimal(200), description="Fall from the highest profit of the session that halts everything, in dollars"
    )
    max_rejections_in_row: Annotated[Count, Field(ge=1, le=1000)] = Field(
        10, description="Orders refused by the venue in a row that halt their strategy"
    )
    max_rejections_per_minute: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        60, description="Orders refused by the venue within a minute that halt the venue"
    )
    min_price: Price = Field(Decimal("0.02"), description="Cheapest price that is bought, in dollars")
    max_price: Price = Field(Decimal("0.98"), description="Dearest price that is bought, in dollars")
    absence_seconds: Annotated[Count, Field(ge=5, le=86_400)] = Field(
        120, description="How long all reads must agree before an unanswered order counts as never placed, in seconds"
    )
    send_deadline_ms: Annotated[Count, Field(ge=50, le=60_000)] = Field(
        2000, description="Time from the decision to the last moment an order may leave, in milliseconds"
    )
    lease_ttl_s: Annotated[Number, Field(ge=2, le=300)] = Field(
        10.0, description="How long a trader owns its wallet without renewing, in seconds"
    )

    heartbeat: bool = Field(
        True,
        description="Let the venue cancel every open order when the trader falls silent for 10 s; an API key that has begun with it needs it",
    )
    heartbeat_s: Annotated[Number, Field(ge=1, le=8)] = Field(
        5.0, description="Time between heartbeats to the venue, in seconds"
    )
    heartbeat_stall_s: Annotated[Number, Field(ge=1, le=10)] = Field(
        3.0, description="Standstill of the trader after which it sends no heartbeats, in seconds"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.live:
            raise ValueError(
                "trading.live was true, allowed: false (real money is refused until `manage.py doctor` exists)"
            )
        if self.min_price >= self.max_price:
            raise ValueError(
                f"trading.min_price was {self.min_price}, allowed: below trading.max_price ({self.max_price})"
            )
        return self


class Server(Section):
    """The web process."""

    port: Port = Field(8000, description="Port of dashboard and API (POLYBOT_WEB_PORT)")
    allowed_hosts: Names = Field(("localhost", "127.0.0.1", "[::1]"), description="Host names the site answers to")
    https: bool = Field(False, description="The site is reached through a TLS proxy: cookies and pages insist on it")
    cors_origins: Names = Field((), description="Other origins that may use the API, such as 'https://desk.example'")
    secret_key: SecretStr | None = Field(None, description="Key of sessions; by default made once and kept in var/")


class Arbitrage(Section):
    """How leg groups are collected, and what getting out of a broken one may cost."""

    max_leg_gap_ms: Annotated[Count, Field(ge=50, le=60_000)] = Field(
        2000,
        description="How long the legs of a group are collected, and a leg's answer is waited for, in milliseconds",
    )
    max_unhedged_notional: Usd = Field(
        Decimal(100), description="At stake while one leg of a group is missing, in dollars"
    )
    unwind_ms: Annotated[Count, Field(ge=100, le=60_000)] = Field(
        5000, description="Time for buying out of a broken group, in milliseconds"
    )
    max_unwind_loss: Usd = Field(Decimal(2), description="What buying out of one broken group may lose, in dollars")


class Config(BaseSettings):
    """All settings. Make one with `polybot_site.config_loader.load`."""

    model_config = SettingsConfigDict(
        env_prefix="POLYBOT_",
        env_nested_delimiter="__",
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    mode: Mode = Field("full", description="What the trader process runs")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of the log; auto is text on a terminal and JSON elsewhere"
    )
    venue: Venue = Field(default_factory=Venue)
    wallet: Wallet = Field(default_factory=Wallet)
    signer: Signer = Field(default_factory=Signer)
    polymarket: Polymarket = Field(default_factory=Polymarket)
    paper: Paper = Field(default_factory=Paper)
    shadow: Shadow = Field(default_factory=Shadow)
    strategy: Strategy = Field(default_factory=Strategy)
    trading: Trading = Field(default_factory=Trading)
    arbitrage: Arbitrage = Field(default_factory=Arbitrage)
    database: Database = Field(default_factory=Database)
    redis: Redis = Field(default_factory=Redis)
    server: Server = Field(default_factory=Server)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what the loader hands over: it runs the sources itself, to know which of them a value came from."""
        return (init_settings,)
