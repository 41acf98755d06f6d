"""The keys of the servers: PostgreSQL and Redis, polybot's own where no address is given, the S3 storage, and the web process."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from polybot_site.config_fields import Bucket, Count, Host, HostPort, Names, Port, Section


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


class S3(Section):
    """Storage of blobs (backups of keys) at any S3 server. With an empty bucket they lie in var/blobs."""

    endpoint: Host = Field("", description="Host of the server, empty for AWS (S3_ENDPOINT)")
    region: str = Field("us-east-1", min_length=1, description="Region of the bucket (S3_REGION)")
    bucket: Bucket = Field("", description="Bucket, which must exist (S3_BUCKET)")
    access_key: SecretStr | None = Field(None, description="Access key (S3_ACCESS_KEY)")
    secret_key: SecretStr | None = Field(None, description="Secret key (S3_SECRET_KEY)")
    use_ssl: bool = Field(True, description="TLS to the server (S3_USE_SSL)")
    force_path_style: bool = Field(
        False, description="Name the bucket in the path of URLs, never in the host (S3_FORCE_PATH_STYLE)"
    )

    @model_validator(mode="after")
    def _whole(self) -> S3:
        keys = {"access_key": self.access_key, "secret_key": self.secret_key}
        if self.bucket:
            absent = [name for name, key in keys.items() if key is None]
            if absent:
                raise ValueError(f"s3.bucket is set and s3.{absent[0]} is not: set S3_{absent[0].upper()}")
        elif self.endpoint or any(keys.values()):
            raise ValueError("s3.bucket is empty and other keys of s3 are set: set S3_BUCKET, or leave all of them out")
        return self

    def url(self) -> str | None:
        """Return the URL of the server, None for AWS."""
        return f"{'https' if self.use_ssl else 'http'}://{self.endpoint}" if self.endpoint else None

    def place(self) -> str:
        """Return which bucket this is, for people."""
        return f"bucket {self.bucket} at {self.url() or f'AWS ({self.region})'}"


class Server(Section):
    """The web process."""

    port: Port = Field(8000, description="Port of dashboard and API (POLYBOT_WEB_PORT)")
    allowed_hosts: Names = Field(("localhost", "127.0.0.1", "[::1]"), description="Host names the site answers to")
    https: bool = Field(False, description="The site is reached through a TLS proxy: cookies and pages insist on it")
    cors_origins: Names = Field((), description="Other origins that may use the API, such as 'https://desk.example'")
    secret_key: SecretStr | None = Field(None, description="Key of sessions; by default made once and kept in var/")
