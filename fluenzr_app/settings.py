"""One typed settings class, read from the environment and a `.env` file."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names it and says what it takes."""


class Settings(BaseSettings):
    """What an operator can set; each field is `FLUENZR_` plus its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="FLUENZR_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    data_dir: Path = Field(default=Path("data"), description="holds the database, the key and uploaded files")
    database_url: str = Field(
        default="", description="sqlite:///… or postgresql://…; a file in the data directory if unset"
    )
    redis_url: str | None = Field(default=None, description="shares rate limits between processes")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = Field(default="", description="the address under which people reach this installation")
    secret_key: str | None = Field(default=None, description="master key; a key file in the data directory if unset")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="addresses whose forwarded headers are believed"
    )
    dns_servers: Annotated[tuple[str, ...], NoDecode] = ()
    system_smtp_url: str | None = None
    private_networks_allowed: bool = Field(
        default=True, description="whether an email account may live on a private network"
    )
    session_days: int = Field(default=30, ge=1, le=365)
    upload_max_bytes: int = Field(default=200 * MIB, ge=1024)
    api_rate_limit: int = Field(default=1000, ge=1, description="requests in a moving minute and API key")
    connections_per_account: int = Field(default=10, ge=1, le=100, description="only where spreading is off")
    smtp_timeout_s: float = Field(default=30.0, gt=0, le=300)
    mailboxes_at_once: int = Field(default=50, ge=1, le=1000, description="mailboxes that one process reads at a time")
    log_level: str = "INFO"

    @field_validator("trusted_proxies", "dns_servers", mode="before")
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ValueError(f"“{part}” is no address or network; write for example 10.0.0.0/8") from None
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("takes DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("secret_key")
    @classmethod
    def _key_length(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) < 32:
            raise ValueError("takes at least 32 characters, for example what `openssl rand -base64 48` prints")
        return value

    @field_validator("database_url")
    @classmethod
    def _dialect(cls, value: str) -> str:
        if value and not value.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("takes sqlite:///path or postgresql://user:password@host/name")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
                raise ValueError("takes an address such as https://mail.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _defaults(self) -> "Settings":
        if not self.database_url:
            path = (self.data_dir / "fluenzr.sqlite3").absolute()
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        if not self.public_url:
            host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.host  # noqa: S104
            object.__setattr__(self, "public_url", f"http://{host}:{self.port}")
        return self

    @property
    def is_https(self) -> bool:
        """Whether people reach the installation by https, so that cookies may be marked secure."""
        return self.public_url.startswith("https://")


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process; `overrides` win over environment and `.env`.

    Raises SettingsError with one line that names the variable, what is wrong with it and what it takes.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "FLUENZR_" + "_".join(str(part) for part in first["loc"]).upper()
        words = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {words}") from None
