"""The security settings as Faust takes them."""

from faust.auth import GSSAPICredentials, OAuthCredentials, SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streams.runtime.kafka_security import KafkaSecurity


def credentials(security: KafkaSecurity) -> CredentialsT | None:
    """Return the credentials of a Faust app; None for a plain-text listener."""
    if not security.uses_sasl:
        return SSLCredentials(security.tls) if security.uses_tls else None
    if security.tokens is not None:
        return OAuthCredentials(oauth_cb=security.tokens.for_aiokafka, ssl_context=security.tls)
    if security.sasl_mechanism == "GSSAPI":
        return GSSAPICredentials(kerberos_service_name=security.kerberos_service, ssl_context=security.tls)
    return SASLCredentials(
        username=security.sasl_username,
        password=security.password,
        mechanism=security.wire_mechanism,
        ssl_context=security.tls,
    )
