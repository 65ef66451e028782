"""The Helm chart: how the console is reached, and which authorities outgoing connections trust."""

import pytest

from tests.deploy.chart import (
    OPEN,
    ROUTED,
    Manifest,
    Values,
    environment,
    of,
    pods,
    refusal,
    render,
)

pytestmark = pytest.mark.helm


def test_the_ingress_leads_to_the_alerts_worker_under_a_name_that_the_console_knows() -> None:
    objects = render(OPEN)
    spec = of(objects, "Ingress")["surgewatch-console"]["spec"]
    assert spec["tls"] == [{"hosts": ["watch.example.org"], "secretName": "watch-tls"}]
    [path] = spec["rules"][0]["http"]["paths"]
    service = of(objects, "Service")[path["backend"]["service"]["name"]]["spec"]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["ports"]}
    variables = environment(pods(objects)["StatefulSet surgewatch-alerts"])
    assert variables["SURGEWATCH_CONSOLE_URL"] == "https://watch.example.org/"


def test_an_own_console_url_prevails_over_that_of_the_ingress() -> None:
    url = "https://proxy.example.org/"
    objects = render({**OPEN, "settings": {"SURGEWATCH_CONSOLE_URL": url}})
    container = pods(objects)["StatefulSet surgewatch-alerts"]["containers"][0]
    named = [each for each in container["env"] if each["name"] == "SURGEWATCH_CONSOLE_URL"]
    assert [each["value"] for each in named] == [url]


def test_the_route_leads_to_the_alerts_worker_under_a_name_that_the_console_knows() -> None:
    objects = render(ROUTED)
    spec = of(objects, "HTTPRoute")["surgewatch-console"]["spec"]
    assert spec["hostnames"] == ["watch.example.org"]
    assert spec["parentRefs"] == ROUTED["httpRoute"]["parentRefs"]
    [backend] = spec["rules"][0]["backendRefs"]
    service = of(objects, "Service")[backend["name"]]["spec"]
    assert backend["port"] in {port["port"] for port in service["ports"]}
    variables = environment(pods(objects)["StatefulSet surgewatch-alerts"])
    assert variables["SURGEWATCH_CONSOLE_URL"] == "https://watch.example.org/"


def test_the_console_knows_the_names_of_both_where_a_route_and_an_ingress_lead_to_it() -> None:
    ingress = {"ingress": {"enabled": True, "host": "old.example.org"}}
    variables = environment(pods(render({**ROUTED, **ingress}))["StatefulSet surgewatch-alerts"])
    assert variables["SURGEWATCH_CONSOLE_URL"] == "https://watch.example.org/"
    assert variables["SURGEWATCH_CONSOLE_HOSTS"] == "old.example.org"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ingress": {"enabled": True}}, "ingress.host is required"),
        ({"httpRoute": {"enabled": True}}, "httpRoute.host is required"),
        ({"httpRoute": {"enabled": True, "host": "watch.example.org"}}, "httpRoute.parentRefs is required"),
        ({"caBundle": {"existingSecret": "a", "existingConfigMap": "b"}}, "not both"),
    ],
    ids=["no host", "no host of a route", "no gateway", "two bundles"],
)
def test_what_is_left_open_is_refused(values: Values, message: str) -> None:
    assert message in refusal(values)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("existingConfigMap", {"configMap": {"name": "company-ca"}}),
        ("existingSecret", {"secret": {"secretName": "company-ca"}}),
    ],
)
def test_every_pod_that_connects_trusts_the_bundle(kind: str, source: Manifest) -> None:
    items = [{"key": "bundle.pem", "path": "ca.crt"}]
    found = pods(render({"caBundle": {kind: "company-ca", "key": "bundle.pem"}}))
    connecting = {name: pod for name, pod in found.items() if not name.endswith("test-workers")}
    assert len(connecting) == 4  # both workers, the topics Job and its test
    for pod in connecting.values():
        [volume] = [volume for volume in pod["volumes"] if volume["name"] == "ca-bundle"]
        [where] = source
        assert volume[where] == {**source[where], "items": items}
        [mount] = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "ca-bundle"]
        path = f"{mount['mountPath']}/ca.crt"
        assert environment(pod).items() >= {"SSL_CERT_FILE": path, "REQUESTS_CA_BUNDLE": path}.items()
