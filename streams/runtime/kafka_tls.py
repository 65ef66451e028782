"""A TLS context that follows its files, so that certificates rotate without a restart."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import structlog

log = structlog.get_logger()


class ReloadingContext(ssl.SSLContext):
    """Verifies the server against the CAs and its host name; loads its files anew when one has changed.

    Files are looked at before each connection. A file that cannot be loaded (it is being replaced) leaves
    the certificates as they were and is tried again at the next connection.
    """

    _ca: Path | None
    _certificate: Path | None
    _key: Path | None
    _password: str | None
    _loaded: tuple[int, ...]

    @classmethod
    def of(cls, ca: Path | None, certificate: Path | None, key: Path | None, password: str | None) -> Self:
        """Make a context; raises ssl.SSLError or OSError where the files cannot be used.

        `ca` None trusts the system's CAs; `certificate` None presents none.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context._ca, context._certificate, context._key, context._password = ca, certificate, key, password
        if ca is None:
            context.load_default_certs()
        context._load()
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection of asyncio."""
        self._follow()
        return super().wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Begin a connection of a blocking client."""
        self._follow()
        return super().wrap_socket(*arguments, **options)

    def _load(self) -> None:
        if self._ca is not None:
            self.load_verify_locations(self._ca)
        if self._certificate is not None:
            self.load_cert_chain(
                self._certificate, self._key, self._password or ""
            )  # None: OpenSSL would ask
        self._loaded = self._versions()

    def _follow(self) -> None:
        try:
            if self._versions() != self._loaded:
                self._load()
                log.info("TLS files loaded anew")
        except (OSError, ssl.SSLError) as error:
            log.warning("TLS files cannot be loaded, the ones before are kept", error=str(error))

    def _versions(self) -> tuple[int, ...]:
        files = (self._ca, self._certificate, self._key)
        return tuple(path.stat().st_mtime_ns for path in files if path is not None)


def unusable_files(
    ca: Path | None, certificate: Path | None, key: Path | None, password: str | None
) -> Iterator[str]:
    """Yield in a sentence what is wrong with each of these files, all of which exist."""
    broken = False
    for name, path in (("ca_file", ca), ("certificate_file", certificate)):
        try:
            if path is not None:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except OSError as error:  # ssl.SSLError is one
            broken = True
            reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in PEM"
            yield f"{name}: {reason}: {path}"
    if certificate is None or broken:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password or "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            yield f"key_file: {key} is not the key of {certificate}"
        elif key is None:
            yield f"key_file is missing: there is no key in {certificate}"
        else:
            yield f"key_file: {key} is no key in PEM, or key_password is missing or wrong"
    except OSError as error:
        yield f"key_file: {error.strerror}: {key}"
