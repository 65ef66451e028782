"""How every Kafka client of the project is set up: the one place for brokers and security.

Three client libraries are in use, each with names of its own: aiokafka (workers, also beneath Faust),
kafka-python (commands) and librdkafka (fast producing, the torture run).
"""

import re
from dataclasses import dataclass, field
from typing import Any

from streams.runtime.kafka_security import PASSWORD_MECHANISMS, KafkaSecurity
from streams.runtime.public_addresses import can_be_looked_up
from streams.runtime.refusals import SetupError

CLIENT_ID = "surgewatch"
# Milliseconds after which metadata is asked for again. The metadata of a broker that has just started
# can lack some, and a group's leader then assigns nothing of them until it asks again; the default is 5 min.
METADATA_MS = 5_000
DEFAULT_PORT = 9092  # of every client
_SERVER = re.compile(  # an IPv6 address has brackets
    r"(\[(?P<ipv6>[\w:.%]+)\]|(?P<name>[^\[\]:\s]+))(:(?P<port>\d{1,5}))?"
)


def known_servers(servers: str) -> str:
    """Return bootstrap servers as they are; raises ValueError for one that is no host:port."""
    for server in map(str.strip, servers.split(",")):
        host_and_port(server)
    return servers


def host_and_port(server: str) -> tuple[str, int]:
    """Return host and port, an IPv6 address without its brackets; raises ValueError where it is no server."""
    found = _SERVER.fullmatch(server)
    port = int(found["port"] or DEFAULT_PORT) if found else 0
    if found is None or port not in range(1, 65_536) or not can_be_looked_up(found["name"] or ""):
        raise ValueError(f"{server!r} is no host:port")
    return found["ipv6"] or found["name"], port


@dataclass(frozen=True)
class KafkaSettings:
    """Where Kafka is, and how to prove who we are. `servers`: host:port, several separated by commas."""

    servers: str
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    def __post_init__(self) -> None:
        known_servers(self.servers)

    @property
    def bootstrap(self) -> list[str]:
        """The bootstrap servers, one by one."""
        return [server.strip() for server in self.servers.split(",")]

    @property
    def aiokafka(self) -> dict[str, Any]:
        """Keyword arguments for every client of aiokafka."""
        tokens = self.security.tokens
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": CLIENT_ID,
            "metadata_max_age_ms": METADATA_MS,
            **self._python_security,
            **({"sasl_oauth_token_provider": tokens.for_aiokafka} if tokens else {}),
        }

    @property
    def kafka_python(self) -> dict[str, Any]:
        """Keyword arguments for every client of kafka-python."""
        tokens, name = self.security.tokens, self.security.sasl_username
        escaped = name.replace("=", "=3D").replace(",", "=2C")  # RFC 5802; the other two do it themselves
        is_scram = str(self.security.sasl_mechanism).startswith("SCRAM")
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": CLIENT_ID,
            **self._python_security,
            **({"sasl_plain_username": escaped} if is_scram else {}),
            **({"sasl_oauth_token_provider": tokens.for_kafka_python} if tokens else {}),
        }

    @property
    def librdkafka(self) -> dict[str, Any]:
        """Configuration for every client of librdkafka that does not produce.

        Raises SetupError where librdkafka cannot sign in.
        """
        if not self.security.fits_librdkafka:
            raise SetupError(
                "librdkafka has no Kerberos, as its wheel is built: this command needs another mechanism, or "
                "`--client kafka` where it has that option"
            )
        return {
            "bootstrap.servers": ",".join(self.bootstrap),
            "client.id": CLIENT_ID,
            "log_level": 0,
            **self._librdkafka_security,
        }

    @property
    def librdkafka_producer(self) -> dict[str, Any]:
        """Configuration for a producer of librdkafka.

        Its own default partitioner is not Kafka's: without `murmur2_random`, the events of a sector would lie
        in another partition than those that a Java or Python producer sends.
        """
        return {**self.librdkafka, "enable.idempotence": True, "partitioner": "murmur2_random"}

    @property
    def _python_security(self) -> dict[str, Any]:
        """What aiokafka and kafka-python name alike."""
        security = self.security
        found: dict[str, Any] = {"security_protocol": security.security_protocol}
        if security.uses_tls:
            found["ssl_context"] = security.tls
        if security.uses_sasl:
            found["sasl_mechanism"] = security.wire_mechanism
        if security.sasl_mechanism in PASSWORD_MECHANISMS:
            found["sasl_plain_username"] = security.sasl_username
            found["sasl_plain_password"] = security.password
        if security.sasl_mechanism == "GSSAPI":
            found["sasl_kerberos_service_name"] = security.kerberos_service
        return found

    @property
    def _librdkafka_security(self) -> dict[str, Any]:
        security = self.security
        password = security.key_password
        key = security.key_file or security.certificate_file  # which may have both
        found: dict[str, Any] = {
            "security.protocol": security.security_protocol.lower(),
            "ssl.ca.location": security.ca_file and str(security.ca_file),
            "ssl.certificate.location": security.certificate_file and str(security.certificate_file),
            "ssl.key.location": key and str(key),
            "ssl.key.password": password and password.get_secret_value(),
        }
        if security.uses_sasl:
            found["sasl.mechanism"] = security.wire_mechanism
        if security.sasl_mechanism in PASSWORD_MECHANISMS:
            found |= {"sasl.username": security.sasl_username, "sasl.password": security.password}
        if security.sasl_mechanism == "GSSAPI":
            found["sasl.kerberos.service.name"] = security.kerberos_service
        if security.tokens is not None:
            found["oauth_cb"] = security.tokens.for_librdkafka
        return {name: value for name, value in found.items() if value}
