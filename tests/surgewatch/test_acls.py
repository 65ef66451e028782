"""`surgewatch acls` prints what it would allow, for kafka-acls and for Strimzi."""

import pytest
import yaml
from click.testing import CliRunner

from streams.contract.access import LEAST
from surgewatch.commands.acls import command


def printed(*words: str) -> str:
    done = CliRunner().invoke(command, [*words])
    assert done.exit_code == 0, done.output
    return done.output


def test_commands_for_kafka_acls_name_each_resource_under_the_prefix() -> None:
    lines = printed("alerts", "User:a b", "--commands", "--topic-prefix", "eu.").splitlines()
    assert len(lines) == len(LEAST["alerts"])
    assert lines[0] == (
        "kafka-acls --bootstrap-server localhost:9092 --command-config admin.properties --add "
        "--allow-principal 'User:a b' --operation Read --operation Describe --operation DescribeConfigs "
        "--topic eu.verdicts"
    )
    assert lines[-1].endswith("--group eu.surgewatch-delivery")


def test_a_user_of_strimzi_has_the_same_acls() -> None:
    user = yaml.safe_load(printed("streams", "User:any", "--strimzi", "main"))
    assert user["metadata"] == {"name": "surgewatch-streams", "labels": {"strimzi.io/cluster": "main"}}
    acls = user["spec"]["authorization"]["acls"]
    found = [(one["resource"]["type"], one["resource"]["name"], tuple(one["operations"])) for one in acls]
    assert found == [
        (a.resource, a.name, tuple(op.title().replace("_", "") for op in a.operations))
        for a in LEAST["streams"]
    ]


@pytest.mark.parametrize("servers", ["fd00::1:9092", "kafka:0", "plaintext://kafka:9092", "a:1,"])
def test_brokers_that_are_no_host_and_port_are_refused_before_anything_is_asked(servers: str) -> None:
    done = CliRunner().invoke(command, ["streams", "User:any", "--brokers", servers])
    assert done.exit_code == 2
    [line] = done.output.splitlines()
    assert line.startswith("Error: --brokers: ")
    assert line.endswith("is no host:port")
