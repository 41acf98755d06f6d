"""Loads `polybot_site.config.Config` from `config.toml` and the environment, and says where each value came from.

Secrets come from the environment or from a file the environment names (`POLYBOT_WALLET__PRIVATE_KEY_FILE=/run/secrets/key`), never from
`config.toml`. Whatever is wrong (unknown key, bad value, secret in the file, unreadable file) raises one `ConfigError` that names key, value
and what is allowed; values of secrets are never shown.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from domain.errors import PolybotError
from infra import logging
from infra.paths import ROOT
from polybot_site.config import Config
from polybot_site.config_fields import (
    ENVIRONMENT_PREFIX,
    declared_keys,
    environment_name,
    is_secret,
    value_of,
    without_url_secrets,
)
from polybot_site.config_text import allowed

SHORT_NAMES = {
    "DATABASE_URL": "database.url",
    "REDIS_URL": "redis.url",
    "S3_ENDPOINT": "s3.endpoint",
    "S3_REGION": "s3.region",
    "S3_BUCKET": "s3.bucket",
    "S3_ACCESS_KEY": "s3.access_key",
    "S3_SECRET_KEY": "s3.secret_key",
    "S3_USE_SSL": "s3.use_ssl",
    "S3_FORCE_PATH_STYLE": "s3.force_path_style",
    "POLYBOT_VENUE": "venue.kind",
    "POLYBOT_VENUE_PORT": "venue.port",
    "POLYBOT_WEB_PORT": "server.port",
}
# Read by other modules, before or without the configuration.
NOT_KEYS = frozenset({"POLYBOT_CONFIG", "POLYBOT_VAR", "POLYBOT_DATA"})

Keys = Mapping[str, FieldInfo]
Found = dict[str, tuple[Any, str]]


class ConfigError(PolybotError, ValueError):
    """The configuration cannot be used; the message names key, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration and, for every key that is not at its default, where its value came from."""

    config: Config
    sources: Mapping[str, str]

    def is_explicit(self, key: str) -> bool:
        """Tell whether `key` ("server.port") was set by the operator."""
        return key in self.sources


def load(environ: Mapping[str, str] | None = None, path: Path | None = None) -> Loaded:
    """Read file and environment. `path` defaults to POLYBOT_CONFIG, then `config.toml` beside `manage.py`.

    Raises:
        ConfigError: with one message about the first thing that is wrong.
    """
    environ = os.environ if environ is None else environ
    keys = dict(declared_keys(Config))
    from_file = _file_values(path or _config_path(environ), keys)
    from_environment = _environment_values(environ, keys)
    values = {key: value for key, (value, _) in from_file.items()} | {
        key: value for key, (value, _) in from_environment.items()
    }
    sources = {key: source for found in (from_file, from_environment) for key, (_, source) in found.items()}
    try:
        config = Config.model_validate(_nest(values))
    except ValidationError as error:
        raise ConfigError(_explain(error, values, sources, keys)) from None
    logging.hide(secret_values(config))
    return Loaded(config, sources)


@cache
def current() -> Loaded:
    """Return this process' configuration, read once."""
    return load()


def secret_values(config: Config) -> list[str]:
    """Return the plain text of every secret that is set, for masking."""
    values = (value_of(config, key) for key, field in declared_keys(Config) if is_secret(field))
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def _config_path(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("POLYBOT_CONFIG")
    if named is not None:
        return Path(named) if named else None
    default = ROOT / "config.toml"
    return default if default.exists() else None


def _file_values(path: Path | None, keys: Keys) -> Found:
    if path is None:
        return {}
    if not path.is_file():
        raise ConfigError(f"{path} cannot be read: there is no such file")
    try:
        leaves = dict(_leaves(TomlConfigSettingsSource(Config, path)(), keys))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    for key in leaves:
        if key not in keys:
            raise ConfigError(f"{key} in {path.name} is not a key{_suggestion(key, keys)}")
        if is_secret(keys[key]):
            name = environment_name(key)
            raise ConfigError(
                f"{key} is a secret and was found in {path.name}, allowed: the environment ({name} or {name}_FILE)"
            )
    return {key: (value, path.name) for key, value in leaves.items()}


def _environment_values(environ: Mapping[str, str], keys: Keys) -> Found:
    names: dict[str, str] = {}
    variables = {environment_name(key): key for key in keys} | SHORT_NAMES
    values: dict[str, str | None] = {}
    for variable in sorted(environ, key=lambda name: (name in SHORT_NAMES, name)):
        if not environ[variable] or variable in NOT_KEYS:
            continue
        key = variables.get(variable)
        if key is not None:
            value = environ[variable]
        elif (key := variables.get(variable.removesuffix("_FILE"))) is not None:
            value = _secret_file(variable, environ[variable], key, keys)
        elif variable.startswith(ENVIRONMENT_PREFIX):
            raise ConfigError(f"{variable} is not a setting{_suggestion(variable, variables)}")
        else:
            continue
        names[key] = variable
        values[environment_name(key).lower()] = value
    source = EnvSettingsSource(Config)
    source.env_vars = values
    return {key: (value, names[key]) for key, value in _leaves(source(), keys)}


def _leaves(tree: Mapping[str, Any], keys: Keys, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and any(known.startswith(f"{key}.") for known in keys):
            yield from _leaves(value, keys, f"{key}.")
        else:
            yield key, value


def _secret_file(variable: str, name: str, key: str, keys: Keys) -> str:
    if not is_secret(keys[key]):
        raise ConfigError(
            f"{variable} was {name!r}, allowed: {environment_name(key)} (only secrets are read from files)"
        )
    try:
        text = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable} cannot be read: {error}") from None
    if not text:
        raise ConfigError(f"{variable} names an empty file: {name}")
    return text


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = value
    return tree


def _explain(error: ValidationError, values: Mapping[str, Any], sources: Mapping[str, str], keys: Keys) -> str:
    """Return one sentence about the first problem: key, value, what is allowed, and where the value came from."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    while key and key not in keys:
        key = key.rpartition(".")[0]
    if not key or key not in values:
        return str(first["msg"]).removeprefix("Value error, ")
    value = values[key]
    told = repr(without_url_secrets(value) if isinstance(value, str) else value)
    shown = logging.MASK if is_secret(keys[key]) else told
    return f"{key} was {shown} (from {sources[key]}), allowed: {allowed(keys[key])}"


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""
