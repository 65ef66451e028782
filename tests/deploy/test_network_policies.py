"""Network policies of the chart: all is denied but name servers, Kafka, sinks, scrapes and the console."""

import pytest

from tests.deploy.chart import CUSTOM, SECURED, Manifest, of, pods, render

pytestmark = pytest.mark.helm

INGRESS = [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]


def policies(objects: list[Manifest]) -> dict[str, Manifest]:
    return {name.rpartition("-")[2]: found["spec"] for name, found in of(objects, "NetworkPolicy").items()}


def test_every_pod_is_denied_by_default() -> None:
    objects = render()
    default = policies(objects)["default"]
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in default
    selected = default["podSelector"]["matchLabels"].items()
    started = [found for found in objects if found["kind"] in {"StatefulSet", "Job", "Pod"}]
    assert len(started) == len(pods(objects))
    for found in started:
        template = found if found["kind"] == "Pod" else found["spec"]["template"]
        assert selected <= template["metadata"]["labels"].items()


def test_every_pod_may_reach_name_servers_and_the_ports_of_the_brokers() -> None:
    dns, kafka = policies(render(SECURED))["default"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert {port["port"] for port in kafka["ports"]} == {9094, 9095}


def test_no_name_servers_are_none_and_not_any() -> None:
    """To Kubernetes, a rule to an empty list of peers allows every address."""
    [kafka] = policies(render({"networkPolicy": {"dns": []}}))["default"]["egress"]
    assert {port["port"] for port in kafka["ports"]} == {9092}


def test_given_ports_and_peers_of_kafka_replace_those_of_the_brokers() -> None:
    _, kafka = policies(render(CUSTOM))["default"]["egress"]
    assert kafka == {
        "ports": [{"protocol": "TCP", "port": 9093}],
        "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
    }


def test_only_the_alerts_worker_may_reach_sinks() -> None:
    found = policies(render())
    assert "egress" not in found["streams"]
    [sinks] = found["alerts"]["egress"]
    assert {port["port"] for port in sinks["ports"]} == {443}
    assert all("10.0.0.0/8" in peer["ipBlock"]["except"] for peer in sinks["to"][:1])


def test_only_prometheus_console_users_and_tests_may_reach_a_worker() -> None:
    found = policies(render({"networkPolicy": {"prometheus": [], "console": INGRESS}}))
    [streams], [alerts] = found["streams"]["ingress"], found["alerts"]["ingress"]
    assert [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in streams["from"]
    ] == ["test"]
    assert alerts["from"][1:] == INGRESS
    assert streams["ports"] == alerts["ports"] == [{"protocol": "TCP", "port": "http"}]
