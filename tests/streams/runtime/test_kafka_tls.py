"""Certificates and authorities rotate without a restart: handshakes in memory, before and after."""

import os
import ssl
from pathlib import Path

import pytest
import trustme

from streams.runtime.kafka_tls import ReloadingContext

BROKER = "broker.example"
Pair = tuple[trustme.CA, trustme.CA]  # of the broker, and of its clients


def broker(authority: trustme.CA, clients: trustme.CA) -> ssl.SSLContext:
    """A broker with a certificate of one authority, which takes clients of another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(BROKER).configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    clients.configure_trust(context)
    return context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Connect in memory; raises ssl.SSLError where one side refuses the other."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=BROKER)
    theirs = server.wrap_bio(there, back, server_side=True)
    left = [ours, theirs]
    while left:
        for side in list(left):
            try:
                side.do_handshake()
                left.remove(side)
            except ssl.SSLWantReadError:
                pass


class Files:
    """The files of a client."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "tls.crt", folder / "tls.key"
        self._versions = 0

    def write(self, authority: trustme.CA, clients: trustme.CA) -> None:
        issued = clients.issue_cert("client.example")
        authority.cert_pem.write_to_path(self.ca)
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.changed()

    def changed(self) -> None:
        """Files have a new time, however coarse the clock of the disk is."""
        self._versions += 1
        for path in (self.ca, self.certificate, self.key):
            os.utime(path, ns=(self._versions, self._versions))

    def context(self) -> ReloadingContext:
        return ReloadingContext.of(self.ca, self.certificate, self.key, None)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def replaced(files: Files, before: Pair, after: Pair) -> ReloadingContext:
    """A context that has connected with the files before, and with those that replaced them."""
    files.write(*before)
    context = files.context()
    shake_hands(context, broker(*before))
    files.write(*after)
    shake_hands(context, broker(*after))
    return context


def test_a_certificate_that_was_replaced_is_used_by_the_next_connection(files: Files) -> None:
    authority, before, after = trustme.CA(), trustme.CA(), trustme.CA()
    context = replaced(files, (authority, before), (authority, after))
    with pytest.raises(ssl.SSLError, match=r"unknown ca|CERTIFICATE_VERIFY_FAILED"):
        shake_hands(context, broker(authority, before))


def test_an_authority_that_was_taken_out_is_trusted_no_more(files: Files) -> None:
    before, after, clients = trustme.CA(), trustme.CA(), trustme.CA()
    context = replaced(files, (before, clients), (after, clients))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, broker(before, clients))


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
def test_a_file_that_is_half_written_leaves_those_before(name: str, files: Files) -> None:
    authority, clients = trustme.CA(), trustme.CA()
    files.write(authority, clients)
    context, half = files.context(), getattr(files, name)
    whole = half.read_bytes()
    half.write_bytes(whole[: len(whole) // 2])
    files.changed()
    shake_hands(context, broker(authority, clients))
    later = trustme.CA()
    files.write(later, clients)
    shake_hands(context, broker(later, clients))


def test_an_authority_in_between_may_be_trusted_alone_but_not_where_librdkafka_has_to(tmp_path: Path) -> None:
    root = trustme.CA()
    between = root.create_child_ca()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    between.issue_cert(BROKER).configure_cert(server)
    ca = tmp_path / "ca.pem"
    between.cert_pem.write_to_path(ca)
    shake_hands(ReloadingContext.of(ca, None, None, None), server)
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get issuer"):
        shake_hands(ReloadingContext.of(ca, None, None, None, to_root=True), server)
    root.cert_pem.write_to_path(ca)
    shake_hands(ReloadingContext.of(ca, None, None, None, to_root=True), server)
