"""An authority as `openssl req -x509` and `openssl x509 -req` make it: without what RFC 5280 asks for."""

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3.connection
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOCAL = x509.SubjectAlternativeName([x509.DNSName("localhost")])


class PlainAuthority:
    """Writes its own certificate to `ca.pem` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._key, self.file = ec.generate_private_key(ec.SECP256R1()), folder / "ca.pem"
        made = self._certificate("Company CA", self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file.write_bytes(made)

    def configure_cert(self, context: ssl.SSLContext) -> None:
        """Let a server at localhost prove its name."""
        key, path = ec.generate_private_key(ec.SECP256R1()), self.file.with_name("server.pem")
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        path.write_bytes(self._certificate("localhost", key, LOCAL) + key.private_bytes(*form))
        context.load_cert_chain(path)

    def _certificate(self, name: str, key: ec.EllipticCurvePrivateKey, what: x509.ExtensionType) -> bytes:
        now = dt.datetime.now(dt.UTC)
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, "Company CA")
        )
        ends, number = now + dt.timedelta(days=1), x509.random_serial_number()
        made = x509.CertificateBuilder(issuer, subject, key.public_key(), number, now, ends)
        return made.add_extension(what, critical=False).sign(self._key, SHA256()).public_bytes(Encoding.PEM)


def as_of_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make default contexts as strict as those of the image's Python, and of urllib3 there."""
    for module, name in ((ssl, "create_default_context"), (urllib3.connection, "create_urllib3_context")):
        monkeypatch.setattr(module, name, _strict(getattr(module, name)))


def _strict(make: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    def made(*arguments: object, **options: object) -> ssl.SSLContext:
        context = make(*arguments, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    return made
