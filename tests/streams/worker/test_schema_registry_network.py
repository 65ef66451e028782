"""A Schema Registry behind a proxy, with a private CA, client certificates and bearer tokens."""

import ssl
from pathlib import Path

import pytest
import trustme

from streams.worker.schema_registry import RegistryClient, RegistryError
from streams.worker.schema_registry_settings import SchemaRegistrySettings
from tests.alerts.worker.connect_proxy import ConnectProxy, proxying
from tests.schema_registry import SchemaRegistry


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def registry(authority: trustme.CA) -> SchemaRegistry:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(tls)
    found = SchemaRegistry(token="t-1", tls=tls)
    found.register("JSON", "{}")
    return found


def files(authority: trustme.CA, folder: Path) -> dict[str, str]:
    """The settings of a client that the registry trusts, and that trusts the registry."""
    issued = authority.issue_cert("worker.client")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "worker.pem")
    return {"ca_file": str(folder / "ca.pem"), "certificate_file": str(folder / "worker.pem")}


async def kind(settings: SchemaRegistrySettings) -> str:
    async with RegistryClient(settings, settings.tls, lambda _: None) as client:
        schema = await client.schema(1)
    assert schema is not None
    return schema.kind


async def test_a_registry_is_reached_through_a_proxy_with_certificates_and_a_token(
    registry: SchemaRegistry, authority: trustme.CA, tmp_path: Path
) -> None:
    with registry.serving():
        async with proxying(ConnectProxy(password="me:secret")) as proxy:
            address = proxy.url.replace("http://", "http://me:secret@")
            settings = SchemaRegistrySettings.model_validate(
                {"url": registry.url, "token": "t-1", "proxy": address, **files(authority, tmp_path)}
            )
            assert await kind(settings) == "JSON"
            assert proxy.asked == [f"CONNECT 127.0.0.1:{registry.port}"]


@pytest.mark.parametrize(
    ("without", "reason"),
    [("ca_file", "CERTIFICATE_VERIFY_FAILED"), ("token", "status 401"), ("proxy", "ClientProxyConnection")],
)
async def test_what_keeps_a_worker_from_the_registry_is_named_without_secrets(
    without: str, reason: str, registry: SchemaRegistry, authority: trustme.CA, tmp_path: Path
) -> None:
    given = {"url": registry.url, "token": "t-1", **files(authority, tmp_path)}
    given.pop(without, None)
    if without == "proxy":
        given["proxy"] = "http://me:secret@127.0.0.1:1"
    settings = SchemaRegistrySettings.model_validate(given)
    with registry.serving(), pytest.raises(RegistryError, match=reason) as refused:
        await kind(settings)
    assert "secret" not in str(refused.value)
