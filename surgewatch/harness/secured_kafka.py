"""A real Kafka with every kind of secured listener and ACLs, and its certificates.

For tests, torture and benchmarks. Certificates are made with `trustme`, a dependency of the development.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization as pem_forms

from surgewatch.harness.apache_kafka import ApacheKafka, BrokerUnavailableError, Listeners, free_port
from surgewatch.harness.identity_provider import IdentityProvider, public_keys

if TYPE_CHECKING:
    import trustme

USER, PASSWORD, AUDIENCE = "surgewatch", "correct-horse", "kafka"
PLAIN = Listeners()
PROPERTIES = """ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/
listener.name.mtls.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
connections.max.reauth.ms={reauth_ms}
listener.name.passwords.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.passwords.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config={login}.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config={login}.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=\\
  {login}.oauthbearer.OAuthBearerValidatorCallbackHandler
sasl.oauthbearer.jwks.endpoint.url={keys}
sasl.oauthbearer.expected.audience={audience}
sasl.oauthbearer.jwt.validator.class=\\
  {login}.oauthbearer.BrokerJwtValidator
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS{supers}
"""


@dataclass
class SecuredKafka:
    """The broker, the ports of its listeners, and the files that clients are given."""

    broker: ApacheKafka
    folder: Path
    ca: "trustme.CA"
    sasl_port: int
    mtls_port: int
    passwords_port: int  # SASL without TLS

    def certificate(self, name: str) -> dict[str, str]:
        """Settings of a client certificate for a principal of that name."""
        issued = self.ca.issue_cert(f"{name}.client", common_name=name)
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return {"SURGEWATCH_KAFKA_CERTIFICATE_FILE": str(certificate), "SURGEWATCH_KAFKA_KEY_FILE": str(key)}

    @property
    def tls(self) -> dict[str, str]:
        """Settings of a client that trusts this broker's CA."""
        return {"SURGEWATCH_KAFKA_CA_FILE": str(self.folder / "ca.pem")}

    def sasl(self, mechanism: str, **more: str) -> dict[str, str]:
        """Settings of a client on the SASL_SSL listener."""
        return {
            "SURGEWATCH_BROKERS": f"127.0.0.1:{self.sasl_port}",
            "SURGEWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "SURGEWATCH_KAFKA_SASL_MECHANISM": mechanism,
            **self.tls,
            **more,
        }

    def password(self, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
        """Settings of a client that has a password."""
        return self.sasl(
            mechanism, SURGEWATCH_KAFKA_SASL_USERNAME=USER, SURGEWATCH_KAFKA_SASL_PASSWORD=password
        )

    def password_without_tls(self) -> dict[str, str]:
        """Settings of a client that has a password, on the listener without TLS."""
        return {
            "SURGEWATCH_BROKERS": f"127.0.0.1:{self.passwords_port}",
            "SURGEWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "SURGEWATCH_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "SURGEWATCH_KAFKA_SASL_USERNAME": USER,
            "SURGEWATCH_KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def oauth(self, provider: IdentityProvider, secret: str = "") -> dict[str, str]:
        """Settings of a client that fetches tokens; `secret`: in place of the right one."""
        return self.sasl(
            "OAUTHBEARER",
            SURGEWATCH_KAFKA_OAUTH_TOKEN_URL=provider.url,
            SURGEWATCH_KAFKA_OAUTH_CLIENT_ID=provider.client,
            SURGEWATCH_KAFKA_OAUTH_CLIENT_SECRET=secret or provider.secret,
            SURGEWATCH_KAFKA_OAUTH_AUDIENCE=AUDIENCE,
        )

    def mtls(self, name: str = USER) -> dict[str, str]:
        """Settings of a client that has a certificate."""
        return {
            "SURGEWATCH_BROKERS": f"127.0.0.1:{self.mtls_port}",
            "SURGEWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
            **self.tls,
            **self.certificate(name),
        }


def secured_kafka(
    folder: Path, *, supers: tuple[str, ...] = (USER,), more: Listeners = PLAIN, reauth_ms: int = 0
) -> SecuredKafka:
    """Set up a broker (not started) whose `supers` may do all, and others what ACLs allow.

    It has the listeners of `more` and what they need besides, and ends connections that have not signed in
    again for `reauth_ms` (0: never). Raises BrokerUnavailableError.
    """
    try:
        import trustme
    except ImportError as error:
        raise BrokerUnavailableError("certificates are made with trustme: install it") from error
    ca, sasl, mtls, passwords = trustme.CA(), free_port(), free_port(), free_port()
    files = _certified(folder / "tls", ca)
    listeners = Listeners(
        ports={
            **more.ports,
            "SASL": (sasl, "SASL_SSL"),
            "MTLS": (mtls, "SSL"),
            "PASSWORDS": (passwords, "SASL_PLAINTEXT"),
        },
        advertised=more.advertised,
        properties=PROPERTIES.format(
            folder=files,
            user=USER,
            password=PASSWORD,
            login="org.apache.kafka.common.security",
            keys=(keys := (files / "keys.json").as_uri()),
            audience=AUDIENCE,
            reauth_ms=reauth_ms,
            supers="".join(f";User:{name}" for name in supers),
        )
        + more.properties,
        java_options=(f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}", *more.java_options),
        format_options=tuple(
            option
            for scram in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for option in ("--add-scram", f"{scram}=[name={USER},password={PASSWORD}]")
        ),
    )
    return SecuredKafka(ApacheKafka(folder / "kafka", listeners), files, ca, sasl, mtls, passwords)


def _certified(files: Path, ca: "trustme.CA") -> Path:
    """Write the broker's key and certificate, that of its CA, and the provider's keys to a new folder."""
    files.mkdir(parents=True)
    issued = ca.issue_cert("127.0.0.1", common_name="broker")
    (files / "broker.pem").write_bytes(
        _pkcs8(issued.private_key_pem.bytes()) + b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    )
    ca.cert_pem.write_to_path(files / "ca.pem")
    (files / "keys.json").write_text(public_keys())
    return files


def _pkcs8(key: bytes) -> bytes:
    """The one form of a private key that Java reads."""
    return pem_forms.load_pem_private_key(key, None).private_bytes(
        pem_forms.Encoding.PEM, pem_forms.PrivateFormat.PKCS8, pem_forms.NoEncryption()
    )
