"""Settings of a Schema Registry: where it is, and how to prove who we are."""

import ssl
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.runtime.kafka_tls import ReloadingContext, unusable_files
from streams.runtime.public_addresses import is_http
from streams.runtime.refusals import marks_of_files


class SchemaRegistrySettings(BaseSettings):
    """How a Schema Registry is reached. Every field is `SURGEWATCH_SCHEMA_REGISTRY_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="SURGEWATCH_SCHEMA_REGISTRY_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    url: str = Field(
        "", description="http(s) address of its REST API; unset: only plain JSON is read. Needs `[registry]`"
    )
    username: str = Field("", description="user name, for basic authentication")
    password: SecretStr | None = Field(None, description="password, for basic authentication")
    token: SecretStr | None = Field(None, description="bearer token, in place of user name and password")
    proxy: SecretStr | None = Field(None, description="http(s) address of an egress proxy")
    ca_file: Path | None = Field(None, description="PEM of the CAs to trust; default: those of the system")
    certificate_file: Path | None = Field(None, description="PEM of the client certificate")
    key_file: Path | None = Field(None, description="PEM of the client certificate's key")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        tls = unusable_files(self.ca_file, self.certificate_file, self.key_file, password=None)
        faults = [*tls, *marks_of_files(self), *self._login_faults()]
        if self.url and (not is_http(self.url) or "@" in self.url):
            faults.append("url is no http(s) address (user name and password have settings of their own)")
        if "?" in self.url or "#" in self.url:
            faults.append("url has a query or fragment: paths are put behind it")
        if self.proxy and not is_http(self.proxy.get_secret_value()):
            faults.append("proxy is no http(s) address")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _login_faults(self) -> Iterator[str]:
        if bool(self.username) != bool(self.password):
            yield "username and password need each other"
        if ":" in self.username:
            yield "username has a colon, which basic authentication cannot send"
        if self.token and self.username:
            yield "token and username exclude each other"
        if self.token and not self.token.get_secret_value().isprintable():
            yield "token has characters that no HTTP header can have"

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context of every TLS connection; it follows its files. Raises ssl.SSLError or OSError."""
        return ReloadingContext.of(self.ca_file, self.certificate_file, self.key_file, None)
