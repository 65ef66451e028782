"""Two alerts workers on a real Kafka: both consoles show the same, whoever delivers and whoever dies."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.lifecycle.alert import Reason
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, running
from tests.alerts.made import verdict
from tests.integration.alerts_house import House, alerts_house, board, ill, reasons, send_again, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
ROWS = ("alerts", "controls", "dead", "sinks")
WHO = ("--by", "anna", "--reason", "drill")


@pytest.fixture(scope="module")
def house(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with alerts_house(kafka_servers, tmp_path_factory.mktemp("two")) as made:
        yield made


@pytest.fixture
def both(house: House, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """The worker of the house and a second one, each with its own console."""
    own = {"SURGEWATCH_ALERTS_PORT": str(free_port()), "SURGEWATCH_STATE_DIR": str(tmp_path / "second")}
    environment = {**house.worker.environment, **own}
    port = int(own["SURGEWATCH_ALERTS_PORT"])
    second = replace(house.worker, port=port, environment=environment, log=tmp_path / "second.log")
    with running(house.worker, second):
        yield house.worker, second


def states(worker: Worker) -> dict[str, str]:
    return {one["id"]: one["state"] for one in board(worker, "sinks")}


def ids(worker: Worker) -> dict[str, set[str]]:
    return {rows: {one["id"] for one in board(worker, rows)} for rows in ROWS}


def wait_for_first(house: House, sector: str) -> None:
    """Wait until the sink that works has the first notice about a sector."""
    until(lambda: reasons(house.good, sector) == [Reason.FIRST], 60)


def test_both_consoles_show_the_same_and_a_letter_is_sent_again_by_either(
    house: House, both: tuple[Worker, Worker]
) -> None:
    with ill(house.sick, 400):
        house.publish(*(verdict(0, breach=True, sector=one) for one in ("blaine", "havre")))
        until(lambda: all(len(board(one, "dead")) == 2 for one in both), 60)
    for worker, letter in zip(both, sorted(ids(both[0])["dead"]), strict=True):
        send_again(worker, letter)
    until(lambda: all(reasons(house.sick, one) == [Reason.FIRST] for one in ("blaine", "havre")), 60)
    until(lambda: all(board(one, "dead") == [] for one in both), 60)
    house.run("silence", "blaine", "--hours", "8", *WHO)
    until(lambda: all(len(board(one, "controls")) == 1 for one in both))
    house.run("withdraw", board(both[1], "controls")[0]["id"], *WHO)
    until(lambda: all(board(one, "controls") == [] for one in both))
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
            wait_for_first(house, f"detroit-{worker.port}")
            assert states(other)["sick"] == "failing"
            worker.start()  # it is not ready for as long as its sink takes nothing
            until(lambda: all(states(one).get("sick") == "failing" for one in both), 60)
    sectors = ["detroit", *(f"detroit-{one.port}" for one in both)]
    until(lambda: [reasons(house.sick, one) for one in sectors] == [[Reason.FIRST]] * 3, 90)
    until(lambda: all(states(one)["sick"] == "ok" for one in both), 60)
    until(lambda: ids(both[0]) == ids(both[1]), 60)
    assert [reasons(house.good, one) for one in sectors] == [[Reason.FIRST]] * 3
