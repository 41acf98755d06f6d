"""Where PostgreSQL and Redis are for this process: as configured, else the embedded servers as noted in `var/services.json`.

Nothing is started here. Without a configured or running server the usual port is assumed, so the first connection fails with an address that
`manage.py services up` would serve.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.paths import var_dir
from infra.services import Endpoint, Services
from polybot_site.config import Config
from polybot_site.config_loader import current

_USUAL = {"postgres": "postgresql://polybot@127.0.0.1:5432/polybot", "redis": "redis://127.0.0.1:6379/0"}


def services(config: Config) -> Services:
    """Return this installation's embedded services, told which servers the operator configured instead."""
    configured = {"postgres": config.database.external_url(), "valkey": config.redis.external_url()}
    return Services(var_dir(), configured={name: url for name, url in configured.items() if url})


def database_url() -> str:
    """Return the PostgreSQL URL; it holds the password."""
    return _url("postgres", _USUAL["postgres"])


def redis_url() -> str:
    """Return the Redis URL; it may hold a password."""
    return _url("valkey", _USUAL["redis"])


def service_environment(endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """Return the variables that tell other processes where the servers are."""
    return {"DATABASE_URL": endpoints["postgres"].url, "REDIS_URL": endpoints["valkey"].url}


def _url(name: str, otherwise: str) -> str:
    endpoint = services(current().config).status()[name]
    return endpoint.url if endpoint else otherwise
