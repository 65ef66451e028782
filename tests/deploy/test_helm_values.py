"""Values with which nothing could run are refused, before anything is applied."""

import json

import pytest
import yaml

from tests.deploy.chart import (
    CHART,
    CUSTOM,
    MONITORED,
    SECURED,
    Values,
    environment,
    helm,
    of,
    pods,
    refusal,
    render,
)

pytestmark = pytest.mark.helm


@pytest.mark.parametrize("name", ["fullnameOverride", "nameOverride"])
def test_long_names_leave_room_for_what_kubernetes_adds_to_them(name: str) -> None:
    """The label controller-revision-hash is a StatefulSet's name and up to 11 characters; labels have 63."""
    found = render({**CUSTOM, "fullnameOverride": "", name: "n" * 63})
    assert max(len(one["metadata"]["name"]) for one in found) <= 63
    assert max(map(len, of(found, "StatefulSet"))) <= 63 - 11


def test_a_release_that_is_named_after_a_domain_has_names_that_a_service_may_have() -> None:
    done = helm("template", "prod.eu", str(CHART))
    assert done.returncode == 0, done.stderr
    services = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "Service"]
    assert [one["metadata"]["name"] for one in services] == [
        "prod-eu-surgewatch-streams", "prod-eu-surgewatch-alerts"
    ]  # fmt: skip


@pytest.mark.parametrize(("release", "given"), [("7prod", ""), ("prod", "7prod")])
def test_a_name_that_no_service_may_have_is_refused_before_anything_is_applied(
    release: str, given: str
) -> None:
    done = helm("template", release, str(CHART), values={"fullnameOverride": given})
    assert done.returncode
    assert "does not begin with a letter" in done.stderr


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicas": 3}, "replicas"),
        ({"streams": {"replica": 3}}, "replica"),
        ({"kafka": {"sasl": {"password": "secret"}}}, "password"),
        ({"streams": {"kafka": {"brokers": "other:9092"}}}, "brokers"),
        ({"kafka": {"brokers": "kafka"}}, "kafka/brokers"),
        ({"kafka": {"brokers": "fd00::1:9092"}}, "kafka/brokers"),
        ({"fullnameOverride": "Border_Watch"}, "fullnameOverride"),
        ({"kafka": {"topicPrefix": "no name"}}, "kafka/topicPrefix"),
        ({"kafka": {"securityProtocol": "TLS"}}, "kafka/securityProtocol"),
        ({"settings": {"SURGEWATCH_BROKERS": "kafka:9092"}}, "SURGEWATCH_BROKERS"),
        ({"settings": {"LATENESS": 1}}, "LATENESS"),
        ({"streams": {"terminationGracePeriodSeconds": 5}}, "terminationGracePeriodSeconds"),
    ],
    ids=str,
)
def test_values_that_the_chart_does_not_know_are_refused(values: Values, named: str) -> None:
    assert named in refusal(values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"networkPolicy": None}, "networkPolicy"),  # which would open every pod
        ({"networkPolicy": {"dns": None}}, "dns"),
        ({"streams": {"autoscaling": None}}, "autoscaling"),
        ({"streams": {"resources": None}}, "resources"),
        ({"kafka": {"sasl": None}}, "sasl"),
        ({"image": None}, "image"),
    ],
    ids=str,
)
def test_a_section_that_is_taken_out_is_named(values: Values, named: str) -> None:
    """Helm removes what is null; a template that then fails names a line of itself."""
    assert f"missing property '{named}'" in refusal(values)


@pytest.mark.parametrize(
    ("kafka", "message"),
    [
        ({"securityProtocol": "SASL_SSL"}, "sasl.mechanism is required"),
        ({"securityProtocol": "SASL_SSL", "sasl": {"mechanism": "PLAIN"}}, "existingSecret is required"),
        ({"sasl": {"mechanism": "PLAIN", "existingSecret": "user"}}, "kafka.sasl needs securityProtocol"),
        ({"ca": {"existingSecret": "ca"}}, "need securityProtocol SSL"),
        (
            {
                "securityProtocol": "SASL_SSL",
                "sasl": {"mechanism": "OAUTHBEARER", "existingSecret": "user"},
            },
            "kafka.sasl.existingSecret is for PLAIN and SCRAM, not for OAUTHBEARER",
        ),
    ],
    ids=["no mechanism", "no password", "SASL in plain text", "TLS in plain text", "password for OAuth"],
)
def test_a_connection_that_cannot_work_is_refused(kafka: Values, message: str) -> None:
    assert message in refusal({"kafka": kafka})


def test_more_replicas_at_least_than_at_most_are_refused() -> None:
    autoscaling = {"enabled": True, "minReplicas": 5, "maxReplicas": 4}
    assert "minReplicas is more than maxReplicas" in refusal({"streams": {"autoscaling": autoscaling}})


def test_settings_refuse_every_variable_that_the_chart_sets_itself() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    refused = schema["definitions"]["settings"]["propertyNames"]["not"]["enum"]
    without = {key: value for key, value in CUSTOM.items() if key not in {"settings", "streams"}}
    for values in (without, SECURED, MONITORED):
        for pod in pods(render(values)).values():
            assert {name for name in environment(pod) if name.startswith("SURGEWATCH_")} <= set(refused)
