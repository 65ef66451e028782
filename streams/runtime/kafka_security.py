"""Settings of a secured Kafka: TLS, SASL, tokens. Checked once, all faults named together.

Every field is `SURGEWATCH_KAFKA_<NAME>` in the environment, or a line of the TOML file that
`SURGEWATCH_KAFKA_FILE` names; the environment wins. `kafka_settings.py` turns them into what each
client library takes.
"""

import os
import ssl
import tomllib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from streams.runtime.kafka_tls import ReloadingContext, unusable_files
from streams.runtime.kafka_tokens import Tokens, client_credentials, msk_iam
from streams.runtime.refusals import SetupError

PASSWORD_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
TOKEN_MECHANISMS = ("OAUTHBEARER", "AWS_MSK_IAM")
EXTRAS = {"GSSAPI": ("kerberos", "gssapi"), "AWS_MSK_IAM": ("msk", "aws_msk_iam_sasl_signer")}  # and modules


class KafkaSecurity(BaseSettings):
    """How Kafka clients prove who they are, and whom they trust."""

    model_config = SettingsConfigDict(
        env_prefix="SURGEWATCH_KAFKA_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as the listener is set up"
    )
    ca_file: Path | None = Field(None, description="PEM of the CAs to trust; default: those of the system")
    certificate_file: Path | None = Field(None, description="PEM of the client certificate (mTLS)")
    key_file: Path | None = Field(None, description="PEM of the client certificate's key")
    key_password: SecretStr | None = Field(None, description="password of the key")
    sasl_mechanism: (
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER", "AWS_MSK_IAM"] | None
    ) = Field(None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI, OAUTHBEARER or AWS_MSK_IAM")
    sasl_username: str = Field("", description="user name, for PLAIN and SCRAM")
    sasl_password: SecretStr | None = Field(None, description="password, for PLAIN and SCRAM")
    kerberos_service: str = Field("kafka", description="service name of the brokers, for GSSAPI")
    oauth_token_url: str = Field("", description="token endpoint of the identity provider, for OAUTHBEARER")
    oauth_client_id: str = Field("", description="client id, for OAUTHBEARER (client credentials)")
    oauth_client_secret: SecretStr | None = Field(None, description="client secret, for OAUTHBEARER")
    oauth_scope: str = Field("", description="scope to ask for, for OAUTHBEARER")
    oauth_audience: str = Field("", description="audience to ask for, for OAUTHBEARER where it is not fixed")
    aws_region: str = Field("", description="region of the cluster, for AWS_MSK_IAM")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then the file; raises SetupError where that is not there or no TOML."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if name := os.environ.get("SURGEWATCH_KAFKA_FILE"):
            if not Path(name).is_file():
                raise SetupError(f"SURGEWATCH_KAFKA_FILE: no file {name}")
            try:
                sources.append(TomlConfigSettingsSource(settings_cls, Path(name)))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SetupError(f"SURGEWATCH_KAFKA_FILE: {name}: {error}") from error
        return tuple(sources)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if faults := [*self._file_faults(), *self._sasl_faults(), *self._line_breaks()]:
            raise ValueError("; ".join(faults))
        return self

    @property
    def uses_tls(self) -> bool:
        """Whether the listener speaks TLS."""
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether the listener asks for SASL."""
        return self.security_protocol.startswith("SASL")

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """The context of every TLS connection. It follows its files, so certificates rotate."""
        if not self.uses_tls:
            return None
        password = self.key_password.get_secret_value() if self.key_password else None
        return ReloadingContext.of(self.ca_file, self.certificate_file, self.key_file, password)

    @cached_property
    def tokens(self) -> Tokens | None:
        """Where tokens come from, for the mechanisms that take one; they are refreshed before they expire."""
        if self.sasl_mechanism == "OAUTHBEARER":
            secret = self.oauth_client_secret
            return Tokens(
                client_credentials(
                    url=self.oauth_token_url,
                    client_id=self.oauth_client_id,
                    secret=secret.get_secret_value() if secret else "",
                    scope=self.oauth_scope,
                    audience=self.oauth_audience,
                ),
                provider=_without_secrets(self.oauth_token_url),
            )
        if self.sasl_mechanism == "AWS_MSK_IAM":
            return Tokens(msk_iam(self.aws_region), provider="AWS")
        return None

    @property
    def wire_mechanism(self) -> str:
        """The mechanism's name on the wire. MSK takes its signed tokens as OAUTHBEARER."""
        return "OAUTHBEARER" if self.sasl_mechanism in TOKEN_MECHANISMS else str(self.sasl_mechanism)

    @property
    def fits_librdkafka(self) -> bool:
        """Whether librdkafka can sign in this way: as its wheel is built, it has no Kerberos."""
        return self.sasl_mechanism != "GSSAPI"

    @property
    def password(self) -> str:
        """The password of PLAIN and SCRAM."""
        return self.sasl_password.get_secret_value() if self.sasl_password else ""

    def _file_faults(self) -> list[str]:
        files: dict[str, Any] = {
            "ca_file": self.ca_file, "certificate_file": self.certificate_file, "key_file": self.key_file
        }  # fmt: skip
        faults = [f"{name}: no file {path}" for name, path in files.items() if path and not path.is_file()]
        if self.key_file and not self.certificate_file:
            faults.append("key_file is given, but certificate_file is not")
        if not self.uses_tls:
            faults += [f"{name} needs security_protocol SSL or SASL_SSL" for name in files if files[name]]
        password = self.key_password.get_secret_value() if self.key_password else None
        return faults or [*unusable_files(self.ca_file, self.certificate_file, self.key_file, password)]

    def _line_breaks(self) -> list[str]:
        """Secrets are often made of files, whose last line ends with a break that no password has."""
        shown = {name: getattr(self, name) for name in type(self).model_fields}
        plain = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in shown.items()
        }
        return [
            f"{name} ends with a line break: take it out of the secret or file that it comes from"
            for name, value in plain.items()
            if isinstance(value, str) and value.endswith(("\n", "\r"))
        ]

    def _sasl_faults(self) -> list[str]:
        if not self.uses_sasl:
            needless = (
                self.sasl_mechanism and "sasl_mechanism needs security_protocol SASL_PLAINTEXT or SASL_SSL"
            )
            return [needless] if needless else []
        needed = {
            "PLAIN": ("sasl_username", "sasl_password"),
            "SCRAM-SHA-256": ("sasl_username", "sasl_password"),
            "SCRAM-SHA-512": ("sasl_username", "sasl_password"),
            "OAUTHBEARER": ("oauth_token_url", "oauth_client_id", "oauth_client_secret"),
            "AWS_MSK_IAM": ("aws_region",),
            "GSSAPI": ("kerberos_service",),
            None: ("sasl_mechanism",),
        }[self.sasl_mechanism]
        wanted = self.sasl_mechanism or self.security_protocol
        faults = [f"{wanted} needs {name}" for name in needed if not getattr(self, name)]
        extra, module = EXTRAS.get(wanted, ("", ""))
        if module and find_spec(module) is None:
            faults.append(f"{wanted} needs the extra {extra}: install surgewatch[{extra}]")
        return faults


def _without_secrets(url: str) -> str:
    """Return a URL without the user, password and query that may be in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
