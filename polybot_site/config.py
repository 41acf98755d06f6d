"""What can be configured: every key with its type, default, range and help.

Values come from `config.toml` and from the environment (`POLYBOT_TRADING__MAX_ORDER_NOTIONAL=20`); the environment wins. A key is declared
when something reads it, not before; the sections lie in `config_venue`, `config_trading` and `config_servers`. Loading, sources and error
messages: `polybot_site.config_loader`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from polybot_site.config_servers import S3, Database, Redis, Server
from polybot_site.config_trading import Arbitrage, Strategy, Trading
from polybot_site.config_venue import Paper, Polymarket, Shadow, Signer, Venue, Wallet

Mode = Literal["trade", "monitor", "full"]


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
    s3: S3 = Field(default_factory=S3)
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
