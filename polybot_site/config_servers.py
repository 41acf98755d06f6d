"""The keys of the servers: PostgreSQL and Redis, polybot's own where no address is given, and the web process."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr

from polybot_site.config_fields import Count, HostPort, Names, Port, Section


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


class Server(Section):
    """The web process."""

    port: Port = Field(8000, description="Port of dashboard and API (POLYBOT_WEB_PORT)")
    allowed_hosts: Names = Field(("localhost", "127.0.0.1", "[::1]"), description="Host names the site answers to")
    https: bool = Field(False, description="The site is reached through a TLS proxy: cookies and pages insist on it")
    cors_origins: Names = Field((), description="Other origins that may use the API, such as 'https://desk.example'")
    secret_key: SecretStr | None = Field(None, description="Key of sessions; by default made once and kept in var/")
