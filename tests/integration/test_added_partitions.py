"""Somebody adds partitions to topics that hold the newest value of each key: nothing is told or set twice."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions
from kafka import KafkaConsumer, TopicPartition

from alerts.lifecycle.alert import Reason
from streams.contract.topics import TABLES
from streams.contract.verdicts import Verdict
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running
from tests.alerts.made import verdict
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
PREFIX, MORE = "added-", 7  # a number that moves nearly every key


class House:
    """An alerts worker with one webhook, and the commands of its operators."""

    def __init__(self, servers: str, folder: Path, receiver: Receiver) -> None:
        port = free_port()
        self.servers, self.receiver = servers, receiver
        self.environment = {
            "SURGEWATCH_BROKERS": servers,
            "SURGEWATCH_TOPIC_PREFIX": PREFIX,
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_ALERTS_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(folder),
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_WEBHOOK_URL": receiver.url,
            "SURGEWATCH_WEBHOOK_SECRET": receiver.secret,
            "SURGEWATCH_ALLOW_PRIVATE": "true",
        }
        self.worker = Worker("alerts", port, self.environment, folder / "alerts.log")

    def run(self, *words: str) -> str:
        """What a command prints."""
        own = {name: self.environment[name] for name in ("SURGEWATCH_BROKERS", "SURGEWATCH_TOPIC_PREFIX")}
        command = [sys.executable, "-m", "surgewatch", *words]
        done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def judge(self, one: Verdict) -> None:
        """Publish a verdict as the streams worker does."""
        producer = Producer({"bootstrap.servers": self.servers})
        produced = [("produced_at", str(int(time.time() * 1000)).encode())]
        producer.produce(f"{PREFIX}verdicts", one.model_dump_json(), one.sector, headers=produced)
        assert producer.flush(30) == 0

    def add_partitions(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers})
        wanted = [NewPartitions(f"{PREFIX}{name}", MORE) for name in TABLES]
        for added in admin.create_partitions(wanted).values():
            added.result(30)

    def told(self) -> list[Reason]:
        return [one.notice.reason for one in self.receiver.received]


def partitions_in_use(servers: str, topic: str) -> set[int]:
    """The partitions of a topic that have records."""
    consumer = KafkaConsumer(bootstrap_servers=servers)
    try:
        ends = consumer.end_offsets([TopicPartition(topic, at) for at in range(MORE)])
        return {tp.partition for tp, end in ends.items() if end}
    finally:
        consumer.close()


def test_partitions_that_were_added_to_tables_tell_nobody_again_and_bring_no_control_back(
    kafka_servers: str, tmp_path: Path
) -> None:
    with receiving(Receiver()) as receiver:
        house = House(kafka_servers, tmp_path, receiver)
        house.run("topics")
        who = ("--by", "ana", "--reason", "drill")
        for number in range(2):
            house.run("silence", "blaine", "--name", f"s{number}", *who)
        with running(house.worker):
            house.judge(verdict(0, breach=True))
            until(lambda: house.told() == [Reason.FIRST], house.worker.tail)
        house.add_partitions()
        checked = house.run("topics", "--check")
        assert f"note: {PREFIX}controls has {MORE} partitions, 1 are used" in checked
        for number in range(2):
            house.run("withdraw", f"silence/s{number}", *who)
        assert house.run("controls").startswith("no controls are in force")
        with running(house.worker):
            for day in (1, 2, 3):
                house.judge(verdict(day, breach=False))
            until(lambda: Reason.RESOLVED in house.told(), house.worker.tail)
        assert house.told() == [Reason.FIRST, Reason.RESOLVED]
        for name, used in TABLES.items():
            assert partitions_in_use(kafka_servers, f"{PREFIX}{name}") <= set(range(used)), name
