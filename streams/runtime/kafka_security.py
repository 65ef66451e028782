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
from itertools import chain
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from streams.runtime.kafka_tls import ReloadingContext, unusable_files
from streams.runtime.kafka_tokens import Tokens, client_credentials, msk_iam
from streams.runtime.public_addresses import is_http
from streams.runtime.refusals import SetupError, marks_of_files, refuse_names

PREFIX = "SURGEWATCH_KAFKA_"
FILE = f"{PREFIX}FILE"
PASSWORD_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
TOKEN_MECHANISMS = ("OAUTHBEARER", "AWS_MSK_IAM")
NEEDED = {  # by each mechanism
    **dict.fromkeys(PASSWORD_MECHANISMS, ("sasl_username", "sasl_password")),
    "OAUTHBEARER": ("oauth_token_url", "oauth_client_id", "oauth_client_secret"),
    "AWS_MSK_IAM": ("aws_region",),
    "GSSAPI": ("kerberos_service",),
}
FURTHER = {"OAUTHBEARER": ("oauth_scope", "oauth_audience")}  # that it takes
EXTRAS = {"GSSAPI": ("kerberos", "gssapi"), "AWS_MSK_IAM": ("msk", "aws_msk_iam_sasl_signer")}  # and modules


class KafkaSecurity(BaseSettings):
    """How Kafka clients prove who they are, and whom they trust."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
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
        """Read the environment first, then the file; raises SetupError where one cannot be used."""
        known = {FILE, *(f"{PREFIX}{name.upper()}" for name in settings_cls.model_fields)}
        refuse_names((name for name in os.environ if name.startswith(PREFIX)), known)
        name = os.environ.get(FILE)
        return (init_settings, env_settings, *([_of_file(settings_cls, Path(name))] if name else []))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if faults := [*self._file_faults(), *self._sasl_faults(), *marks_of_files(self)]:
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
        files = self.ca_file, self.certificate_file, self.key_file
        return ReloadingContext.of(*files, password, to_root=True)  # librdkafka has nothing else

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
        files = {
            "ca_file": self.ca_file,
            "certificate_file": self.certificate_file,
            "key_file": self.key_file,
        }
        password = self.key_password.get_secret_value() if self.key_password else None
        faults = [*unusable_files(**files, password=password)]
        if password and not self.certificate_file:
            faults.append("key_password is given, but certificate_file is not")
        if not self.uses_tls:
            faults += [f"{name} needs security_protocol SSL or SASL_SSL" for name in files if files[name]]
        return faults

    def _sasl_faults(self) -> list[str]:
        wanted = self.sasl_mechanism or self.security_protocol
        needed = NEEDED.get(wanted, ("sasl_mechanism",) if self.uses_sasl else ())
        taken = {"sasl_mechanism", *needed, *FURTHER.get(wanted, ())} if self.uses_sasl else set()
        known = {"sasl_mechanism", *chain(*NEEDED.values(), *FURTHER.values())}
        needless = sorted(name for name in (known - taken) & self.model_fields_set if getattr(self, name))
        if not self.uses_sasl:
            return [f"{name} needs security_protocol SASL_PLAINTEXT or SASL_SSL" for name in needless]
        faults = [f"{wanted} needs {name}" for name in needed if not getattr(self, name)]
        faults += [f"{name} is not for {wanted}" for name in needless]
        if self.oauth_token_url and not is_http(self.oauth_token_url):
            faults.append("oauth_token_url is no http(s) address")
        extra, module = EXTRAS.get(wanted, ("", ""))
        if module and find_spec(module) is None:
            faults.append(f"{wanted} needs the extra {extra}: install surgewatch[{extra}]")
        return faults


def _of_file(model: type[BaseSettings], path: Path) -> PydanticBaseSettingsSource:
    """Return the settings of a file; raises SetupError. A name that nobody reads is no setting."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{FILE}: {path}: {error}") from error
    refuse_names(found, model.model_fields, where=f"{FILE}: {path}: ")
    return InitSettingsSource(model, found)


def _without_secrets(url: str) -> str:
    """Return a URL without the user, password and query that may be in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
