"""The vocabulary of `polybot_site.config`: sections, keys, and field types that refuse values which would switch a protection off.

Money and prices are exact: configuration says dollars as decimals with at most six places, code reads them through
`domain.money.exact_micros`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from infra.durations import parse_duration

ENVIRONMENT_PREFIX = "POLYBOT_"


class Section(BaseModel):
    """A table of the configuration file. Unknown keys are refused; values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Form:
    """The form a text must have: a pattern, and how to say it to a person."""

    pattern: str
    words: str

    def __call__(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValueError(f"expected {self.words}")
        return value


def declared_keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key of `model` as a dotted path ("strategy.flash_crash.enabled") with its declaration."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from declared_keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def value_of(config: BaseModel, key: str) -> Any:
    """Return the value at a dotted path."""
    value: Any = config
    for name in key.split("."):
        value = getattr(value, name)
    return value


def environment_name(key: str) -> str:
    """Return the variable that sets `key`: "wallet.private_key" → POLYBOT_WALLET__PRIVATE_KEY."""
    return ENVIRONMENT_PREFIX + key.upper().replace(".", "__")


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a key holds a secret; secrets are declared `SecretStr | None`."""
    return field.annotation == SecretStr | None


def without_url_secrets(text: str) -> str:
    """Return a URL without what may be a key: user, path and query of one such as a node's. Other text stays as it is."""
    found = re.match(r"([a-zA-Z]+://)([^/?#]*@)?([^/?#]*)(.*)", text, re.DOTALL)
    if found is None or not (found[2] or found[4]):
        return text
    return f"{found[1]}{found[3]}/…"


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


def _exact(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


def _list(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _private_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", value.get_secret_value()):
        raise ValueError("expected 64 hexadecimal digits")
    return value


Count = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Port = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=65535)]
Usd = Annotated[
    Decimal,
    BeforeValidator(_no_bool),
    BeforeValidator(_exact),
    Field(gt=0, le=10_000_000, decimal_places=6, allow_inf_nan=False),
]
Coins = Usd
"""An amount of the network's own coin, in the form of dollars."""
Price = Annotated[
    Decimal,
    BeforeValidator(_no_bool),
    BeforeValidator(_exact),
    Field(gt=0, lt=1, decimal_places=4, allow_inf_nan=False),
]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Names = Annotated[tuple[str, ...], BeforeValidator(_list)]
HttpUrl = Annotated[str, AfterValidator(Form(r"https?://[^\s/?#]+(/[^\s/?#]+)*", "a URL such as 'https://host'"))]
WsUrl = Annotated[str, AfterValidator(Form(r"wss?://[^\s/?#]+(/[^\s/?#]+)*", "a URL such as 'wss://host'"))]
Address = Annotated[str, AfterValidator(Form(r"(0x[0-9a-fA-F]{40})?", "an address of 0x and 40 hexadecimal digits"))]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_list)]
Bytes32 = Annotated[str, AfterValidator(Form(r"(0x[0-9a-fA-F]{64})?", "0x and 64 hexadecimal digits"))]
PaperName = Annotated[str, AfterValidator(Form(r"[a-z0-9_-]{1,40}", "up to 40 of a-z, 0-9, - and _"))]
HostPort = Annotated[str, AfterValidator(Form(r"([^\s/:@]+:\d{1,5})?", "host:port"))]
Host = Annotated[str, AfterValidator(Form(r"([^\s/:@]+(:\d{1,5})?)?", "host or host:port, without http://"))]
Bucket = Annotated[
    str,
    AfterValidator(
        Form(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", "3 to 63 of a-z, 0-9, - and . between letters or digits")
    ),
]
PrivateKey = Annotated[SecretStr | None, AfterValidator(_private_key)]
