"""A Kerberos realm of its own for tests, by MIT's server; where that is not here, tests are skipped."""

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from surgewatch.harness.apache_kafka import free_port
from tests.waiting import until

REALM = "SURGEWATCH.TEST"
KRB5 = """[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
"""
KDC = """[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
}}
"""


@dataclass(frozen=True)
class Realm:
    """A realm that issues tickets."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find the realm, and its tickets."""
        return {
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.folder}/tickets",
        }

    def run(self, *command: str) -> None:
        """Run one of MIT's commands."""
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def keytab(self, principal: str) -> Path:
        """Make a principal; return the file of its keys."""
        file = self.folder / f"{principal.replace('/', '-')}.keytab"
        self.run("kadmin.local", "-q", f"addprinc -randkey {principal}")
        self.run("kadmin.local", "-q", f"ktadd -k {file} {principal}")
        return file

    def sign_in(self, principal: str, keytab: Path) -> None:
        """Fetch a ticket."""
        self.run("kinit", "-k", "-t", str(keytab), principal)


@contextmanager
def kerberos_realm(folder: Path) -> Iterator[Realm]:
    """A realm for as long as it lasts."""
    missing = [one for one in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit") if not shutil.which(one)]
    if importlib.util.find_spec("gssapi") is None:
        missing.append("the extra kerberos")
    if missing and os.environ.get("SURGEWATCH_REQUIRE_KERBEROS") == "1":
        pytest.fail(f"SURGEWATCH_REQUIRE_KERBEROS=1, but not here: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not here: {', '.join(missing)}")
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "krb5.conf").write_text(KRB5.format(realm=REALM, port=port))
    (folder / "kdc.conf").write_text(KDC.format(realm=REALM, port=port, folder=folder))
    realm = Realm(folder)
    realm.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of the database")
    with subprocess.Popen(["krb5kdc", "-n"], env=os.environ | realm.environment) as server:
        try:
            until(lambda: answers(port), "krb5kdc does not answer")
            yield realm
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
