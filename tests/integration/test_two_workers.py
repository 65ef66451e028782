"""Two alerts workers on a real Kafka: both consoles show the same, whoever delivers and whoever dies."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from alerts.lifecycle.alert import Reason
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running
from tests.alerts.made import verdict
from tests.integration.test_people import TOKEN, Chat, House, ill, reasons, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
ROWS = ("alerts", "controls", "dead", "sinks")
WHO = ("--by", "anna", "--reason", "drill")


@pytest.fixture(scope="module")
def house(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    chat = Chat()
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    with receiving(Receiver()) as good, receiving(Receiver()) as sick:
        yield House(kafka_servers, tmp_path_factory.mktemp("two"), good, sick, chat)
    chat.shutdown()
    chat.server_close()


@pytest.fixture
def both(house: House, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """The worker of the house and a second one, each with its own console."""
    own = {"SURGEWATCH_ALERTS_PORT": str(free_port()), "SURGEWATCH_STATE_DIR": str(tmp_path / "second")}
    environment = {**house.worker.environment, **own}
    port = int(own["SURGEWATCH_ALERTS_PORT"])
    second = replace(house.worker, port=port, environment=environment, log=tmp_path / "second.log")
    with running(house.worker, second):
        yield house.worker, second


def shown(worker: Worker, rows: str) -> list[dict[str, Any]]:
    return list(json.loads(worker.get("/api/board") or "{}").get(rows, []))


def states(worker: Worker) -> dict[str, str]:
    return {one["id"]: one["state"] for one in shown(worker, "sinks")}


def ids(worker: Worker) -> dict[str, set[str]]:
    return {rows: {one["id"] for one in shown(worker, rows)} for rows in ROWS}


def send_again(worker: Worker, letter: str) -> None:
    again = urllib.request.Request(
        f"http://127.0.0.1:{worker.port}/api/dead/{quote(letter, safe='')}/resend",
        data=b"{}",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(again, timeout=10) as answer:
        assert answer.status == 202


def test_both_consoles_tell_the_same_and_a_letter_is_sent_again_by_either(
    house: House, both: tuple[Worker, Worker]
) -> None:
    with ill(house.sick, 400):
        house.publish(*(verdict(0, breach=True, sector=one) for one in ("blaine", "havre")))
        until(lambda: all(len(shown(one, "dead")) == 2 for one in both), 60)
    for worker, letter in zip(both, sorted(ids(both[0])["dead"]), strict=True):
        send_again(worker, letter)
    until(lambda: all(reasons(house.sick, one) == [Reason.FIRST] for one in ("blaine", "havre")), 60)
    until(lambda: all(shown(one, "dead") == [] for one in both), 60)
    house.run("silence", "blaine", "--hours", "8", *WHO)
    until(lambda: all(len(shown(one, "controls")) == 1 for one in both))
    house.run("withdraw", shown(both[1], "controls")[0]["id"], *WHO)
    until(lambda: all(shown(one, "controls") == [] for one in both))
    until(lambda: ids(both[0]) == ids(both[1]))


def test_a_failing_sink_is_shown_by_both_while_workers_die_and_come_back(
    house: House, both: tuple[Worker, Worker]
) -> None:
    with ill(house.sick):
        house.publish(verdict(0, breach=True, sector="detroit"))
        until(lambda: all(states(one).get("sick") == "failing" for one in both), 60)
        for worker, other in (both, both[::-1]):
            worker.kill()
            house.publish(verdict(0, breach=True, sector=f"detroit-{worker.port}"))
            until(lambda: reasons(house.good, f"detroit-{worker.port}") == [Reason.FIRST], 60)  # noqa: B023
            assert states(other)["sick"] == "failing"
            worker.start()  # it is not ready for as long as its sink takes nothing
            until(lambda: all(states(one).get("sick") == "failing" for one in both), 60)
    sectors = ["detroit", *(f"detroit-{one.port}" for one in both)]
    until(lambda: [reasons(house.sick, one) for one in sectors] == [[Reason.FIRST]] * 3, 90)
    until(lambda: all(states(one)["sick"] == "ok" for one in both), 60)
    until(lambda: ids(both[0]) == ids(both[1]), 60)
    assert [reasons(house.good, one) for one in sectors] == [[Reason.FIRST]] * 3
