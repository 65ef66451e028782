"""A TLS context that follows its files, so that certificates rotate without a restart.

It is not as strict as `ssl.create_default_context`, which from Python 3.13 on refuses authorities without the
extensions that RFC 5280 asks for: those of many companies, made by `openssl` alone, have none of them.
"""

import os
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import Any, Self

import structlog

log = structlog.get_logger()


class ReloadingContext(ssl.SSLContext):
    """Verifies the server against the CAs and its host name; follows its files.

    Files are looked at before each connection. Where one has changed, all are loaded into a new context: what
    was trusted before is trusted no more. A file that cannot be loaded (it is being replaced) leaves the
    context as it was and is tried again at the next connection.
    """

    _load: Callable[[], ssl.SSLContext]
    _files: tuple[Path, ...]
    _loaded: tuple[int, ...]
    _current: ssl.SSLContext

    @classmethod
    def of(
        cls,
        ca: Path | None,
        certificate: Path | None,
        key: Path | None,
        password: str | None,
        *,
        to_root: bool = False,
    ) -> Self:
        """Make a context; raises ssl.SSLError or OSError where the files cannot be used.

        `ca` None trusts the system's CAs, or those of SSL_CERT_FILE; `certificate` None presents none.
        `to_root`: a chain has to end in a root that is trusted; else any authority that is named will do.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        followed = (_of_environment() if ca is None else ca, certificate, key)
        context._files = tuple(path for path in followed if path is not None)
        context._load = partial(_context, ca, certificate, key, password, to_root=to_root)
        context._loaded, context._current = context._versions(), context._load()
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection of asyncio."""
        return self._newest().wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Begin a connection of a blocking client."""
        return self._newest().wrap_socket(*arguments, **options)

    def _newest(self) -> ssl.SSLContext:
        try:
            versions = self._versions()  # before loading: a file that changes meanwhile is loaded again
            if versions != self._loaded:
                self._current, self._loaded = self._load(), versions
                log.info("TLS files loaded anew")
        except (OSError, ssl.SSLError) as error:
            log.warning("TLS files cannot be loaded, the ones before are kept", error=str(error))
        return self._current

    def _versions(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in self._files)


def of_system() -> ReloadingContext:
    """Return the context of connections to whom the system's authorities vouch for."""
    return ReloadingContext.of(None, None, None, None)


def client_context(*, to_root: bool = False) -> ssl.SSLContext:
    """Return a context that trusts nobody yet; `to_root` as in `ReloadingContext.of`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not to_root:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _of_environment() -> Path | None:
    """Return the file that OpenSSL takes the system's authorities from, where one is named."""
    name = os.environ.get("SSL_CERT_FILE")
    return Path(name) if name and Path(name).is_file() else None


def _context(
    ca: Path | None, certificate: Path | None, key: Path | None, password: str | None, *, to_root: bool
) -> ssl.SSLContext:
    context = client_context(to_root=to_root)
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key, password or "")  # None: OpenSSL would ask
    return context


def unusable_files(
    ca_file: Path | None, certificate_file: Path | None, key_file: Path | None, password: str | None
) -> Iterator[str]:
    """Yield in a sentence what is wrong with each of these files."""
    files = {"ca_file": ca_file, "certificate_file": certificate_file, "key_file": key_file}
    faults = [f"{name}: {fault} {path}" for name, path in files.items() if path and (fault := _hidden(path))]
    if key_file and not certificate_file:
        faults.append("key_file is given, but certificate_file is not")
    faults = faults or [*_without_certificates(ca_file, certificate_file)]
    if not faults and certificate_file:
        faults += _keyless(certificate_file, key_file, password)
    yield from faults


def _hidden(path: Path) -> str | None:
    """Return why there is no file for this user; None where there is one."""
    try:
        return None if S_ISREG(path.stat().st_mode) else "no file"
    except PermissionError as error:  # of a folder
        return f"{error.strerror}:"
    except OSError:
        return "no file"


def _without_certificates(ca: Path | None, certificate: Path | None) -> Iterator[str]:
    for name, path in (("ca_file", ca), ("certificate_file", certificate)):
        try:
            if path is not None:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            is_damaged = path is not None and b"-----BEGIN CERTIFICATE" in path.read_bytes()
            yield f"{name}: {'a certificate is damaged' if is_damaged else 'no certificate in PEM'}: {path}"
        except OSError as error:
            yield f"{name}: {error.strerror}: {path}"


def _keyless(certificate: Path, key: Path | None, password: str | None) -> Iterator[str]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password or "")
    except ssl.SSLError as error:
        reason = error.reason or ""
        if reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):  # of its kind, or of another
            yield f"key_file: {key or certificate} is not the key of {_first_in(certificate)}"
        elif reason.endswith(("_TOO_SMALL", "_TOO_WEAK")):
            yield f"certificate_file: OpenSSL refuses {certificate} ({reason.replace('_', ' ').lower()})"
        elif key is None:
            yield f"key_file is missing: there is no key in {certificate}"
        else:
            yield f"key_file: {key} is no key in PEM, or key_password is missing or wrong"
    except OSError as error:
        yield f"key_file: {error.strerror}: {key}"


def _first_in(certificate: Path) -> str:
    is_chain = certificate.read_bytes().count(b"-----BEGIN CERTIFICATE") > 1
    return (
        f"the first certificate in {certificate}, where the client's own belongs"
        if is_chain
        else str(certificate)
    )
