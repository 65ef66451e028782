"""Why does no broker answer? One line that names what is wrong: name, port, CA, certificate, credential, ACL.

Client libraries report most of these as a time-out. So after a failure each bootstrap server is tried step by
step with a plain socket: the name, the port, the TLS handshake, the SASL mechanism.
"""

import datetime as dt
import re
import socket
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiokafka.errors import BrokerResponseError as AsyncBrokerAnswer
from aiokafka.errors import KafkaError
from cryptography import x509
from kafka.errors import BrokerResponseError as BrokerAnswer

from streams.runtime.kafka_security import PASSWORD_MECHANISMS, KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings, host_and_port
from streams.runtime.kafka_tokens import TokenError, Tokens
from streams.runtime.refusals import Refusal, SetupError, WorkerCrashedError
from streams.runtime.sasl_handshake import NO_SASL, ask

TIMEOUT = 3.0  # seconds for each step
SILENCE = 0.5  # seconds in which a broker refuses a client certificate after the handshake (TLS 1.3)
CREDENTIALS = dict.fromkeys(PASSWORD_MECHANISMS, "user or password") | {
    "GSSAPI": "the ticket, or there is none (klist)"
}
AWAY = UNKNOWN, SILENT = "the name", "nothing listens there"
UNTIMELY = (9, 10)  # OpenSSL's codes: not yet valid, expired
REFUSED = "the credentials are refused: check user, password, mechanism or token"
UNAUTHORIZED = re.compile(r"(Topic|Group|Cluster|TransactionalId)AuthorizationFailed(?:Error)?\((.*?)\)")
RESOURCES = {
    "Topic": "topic",
    "Group": "consumer group",
    "Cluster": "the cluster",
    "TransactionalId": "transactional id",
}
# Answers that name no cause, or stand for none: clients raise the first where there was no answer at all.
UNEXPLAINED: Final = ("RequestTimedOut", "UnsupportedSaslMechanism", "IllegalSaslState")
REASON: Final = re.compile(r"error_message=(['\"])(?P<text>.+?)\1[,)]")  # in what kafka-python raises


def diagnose(kafka: KafkaSettings, error: BaseException) -> str:
    """Return in one line why Kafka cannot be used; `error` is what the client raised.

    Blocks for some seconds at most. Credentials are never part of the line.
    """
    if refusal := _refusal(error):
        return refusal
    faults = {server: _reach(server, kafka.security) for server in kafka.bootstrap}
    if all(faults.values()):  # one that can be reached is enough
        server, fault = min(faults.items(), key=lambda one: str(one[1]).startswith(AWAY))
        return f"{server}: {fault}"  # of those that answer first: a server that is away may be only that
    if fault := _ask_for_token(kafka.security.tokens):
        return fault
    if kafka.security.uses_sasl:
        return (
            f"{kafka.servers}: {kafka.security.sasl_mechanism} sign-in fails: the broker refuses "
            f"{CREDENTIALS.get(str(kafka.security.sasl_mechanism), 'the token')}"
        )
    protocol = kafka.security.security_protocol
    return (
        f"{kafka.servers}: the port is open, but no broker answers in {protocol}: "
        "check SURGEWATCH_KAFKA_SECURITY_PROTOCOL"
    )


async def unless_it_goes_away(kafka: KafkaSettings, work: Awaitable[None]) -> None:
    """Do a part of a start that follows upon the broker's first answer.

    Raises SetupError where the broker fails now: nothing has been processed, and the next start names the
    cause.
    """
    try:
        await work
    except KafkaError as error:
        if missing_acl(error):
            raise
        silent = f"the broker answered at first, but no longer does ({str(error)[:200]})"
        raise SetupError(f"{kafka.servers}: {_answer(error) or silent}") from error


def missing_acl(error: BaseException | None) -> str | None:
    """Return on which resource an ACL is missing, where an error or what caused it names one.

    Some libraries put the broker's refusal into the text of an error of their own.
    """
    for one in causes(error):
        if found := UNAUTHORIZED.search(repr(one)):
            text = found[2].rpartition(" for ")[2]  # a set of names, or a sentence that ends with one
            names = [] if found[1] == "Cluster" else sorted(set(re.findall(r"[\w.-]+", text)))
            return f"an ACL is missing on {' '.join([RESOURCES[found[1]], ', '.join(names)]).strip()}"
    return None


def explained(error: Exception) -> Exception:
    """Return what a worker ends with: an error of Kafka in one line, a refusal where an ACL is missing."""
    if isinstance(error, Refusal):
        return error
    if problem := missing_acl(error):
        return SetupError(f"{problem}: `surgewatch topics --as ROLE` names all that is missing")
    return WorkerCrashedError(repr(error)) if isinstance(error, KafkaError) else error


def _refusal(error: BaseException) -> str | None:
    """Find a refusal that the broker itself gave, in an error or in what caused it."""
    for one in causes(error):
        if type(one).__name__.startswith("SaslAuthenticationFailed"):
            return f"{REFUSED} ({str(one)[:200]})"
    return missing_acl(error) or _answer(error)


def _answer(error: BaseException | None) -> str | None:
    """Return what else the broker answered, in its own words."""
    for one in causes(error):
        name = type(one).__name__.removesuffix("Error")
        if isinstance(one, (BrokerAnswer, AsyncBrokerAnswer)) and name not in UNEXPLAINED:
            reason = REASON.search(str(one))
            return f"the broker refuses: {reason['text'][:200] if reason else one.description} ({name})"
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _ask_for_token(tokens: Tokens | None) -> str | None:
    """Return why no token can be had; None where there is one, or none is needed."""
    try:
        if tokens is not None:
            tokens.current()
    except TokenError as error:
        return str(error)
    return None


def _reach(server: str, security: KafkaSecurity) -> str | None:
    """Return what is wrong on the way to a server; None where name, port, TLS and SASL mechanism are well."""
    host, port = host_and_port(server)
    try:
        connection = socket.create_connection((host, port), timeout=TIMEOUT)
    except socket.gaierror as error:
        return f"{UNKNOWN} {host} is not known ({error.strerror})"
    except OSError as error:
        return f"{SILENT} ({error.strerror or error}): start a broker or set SURGEWATCH_BROKERS"
    with connection:
        if security.tls is None:
            return _ask_for_mechanism(connection, security)
        return _shake_hands(connection, host, security.tls, security)


def _shake_hands(
    connection: socket.socket, host: str, tls: ssl.SSLContext, security: KafkaSecurity
) -> str | None:
    try:
        with tls.wrap_socket(connection, server_hostname=host) as secured:
            secured.settimeout(SILENCE)
            with suppress(TimeoutError):
                secured.recv(1)
            secured.settimeout(TIMEOUT)
            return _ask_for_mechanism(secured, security)
    except ssl.SSLCertVerificationError as error:
        return _untrusted(error, host)
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        if "certificate" not in reason and "unknown ca" not in reason:
            return f"the TLS handshake fails ({reason}): is this listener TLS?"
        if security.certificate_file is None:
            return f"the broker asks for a certificate ({reason}): set SURGEWATCH_KAFKA_CERTIFICATE_FILE"
        return f"the broker refuses our certificate ({reason}): {_doubt(security.certificate_file)}"
    except OSError as error:
        return f"the broker ends the TLS handshake ({error}): is this listener TLS?"


def _doubt(certificate: Path) -> str:
    """Return what a broker may have against a certificate; it names no reason itself."""
    try:
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):  # it is being replaced, or in a form that OpenSSL alone reads
        return f"see whether {certificate} has expired, and whether the broker trusts its CA"
    first, last = read.not_valid_before_utc, read.not_valid_after_utc
    if not first <= dt.datetime.now(dt.UTC) <= last:
        return f"{certificate} is valid from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    return f"see whether the broker trusts the CA of {certificate}, {read.issuer.rfc4514_string()}"


def _untrusted(error: ssl.SSLCertVerificationError, host: str) -> str:
    if "mismatch" in error.verify_message:
        return f"the broker's certificate is not for {host} ({error.verify_message})"
    if error.verify_code in UNTIMELY:
        return (
            f"the broker's certificate, or its CA's, is of another time ({error.verify_message}): renew it, "
            "or set this machine's clock"
        )
    return f"the broker's certificate is not trusted ({error.verify_message}): check SURGEWATCH_KAFKA_CA_FILE"


def _ask_for_mechanism(connection: socket.socket, security: KafkaSecurity) -> str | None:
    """Return what is wrong with the SASL mechanism; None where it is on, or none is used."""
    if not security.uses_sasl:
        return None
    try:
        offer = ask(connection, security.wire_mechanism)
    except OSError:
        offer = None
    if offer is None:
        return (
            f"the port is open, but no broker answers in {security.security_protocol}: "
            "check SURGEWATCH_KAFKA_SECURITY_PROTOCOL"
        )
    if not offer.error:
        return None
    if offer.error == NO_SASL or not offer.mechanisms:
        return "this listener takes no SASL: check SURGEWATCH_KAFKA_SECURITY_PROTOCOL"
    return f"this listener offers {', '.join(offer.mechanisms)}, not {security.wire_mechanism}"
