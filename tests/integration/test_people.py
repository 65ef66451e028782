"""The alerts worker on a real Kafka, from verdicts to people: dead sinks, a killed worker, and operators."""

import json
import time
from collections.abc import Iterator

import pytest

from alerts.lifecycle.alert import Reason
from surgewatch.harness.webhook_receiver import SECRET
from surgewatch.harness.worker_process import running, total
from tests.alerts.made import verdict
from tests.integration.alerts_house import (
    TOKEN,
    House,
    alerts_house,
    board,
    ill,
    reasons,
    send_again,
    until,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def house(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with alerts_house(kafka_servers, tmp_path_factory.mktemp("people")) as made, running(made.worker):
        yield made


def test_an_alert_is_in_slack_with_what_was_seen_and_expected(house: House) -> None:
    house.publish(verdict(0, breach=True, sector="blaine"))
    until(lambda: len(house.chat.messages) == 1)
    house.publish(verdict(0, breach=True, sector="spokane"))
    until(lambda: len(house.chat.messages) == 2)
    _, message = house.chat.messages[-1]
    assert str(message["text"]).startswith("Surge at Spokane: 90 in 1 day, expected 30")


def test_a_dead_sink_delays_no_other_and_gets_everything_in_order_though_the_worker_is_killed(
    house: House,
) -> None:
    with ill(house.sick):
        house.publish(verdict(0, breach=True, sector="houlton"))
        house.publish(*(verdict(day, breach=False, sector="houlton") for day in (1, 2, 3)))
        until(lambda: reasons(house.good, "houlton") == [Reason.FIRST, Reason.RESOLVED])
        assert reasons(house.sick, "houlton") == []
        # Who is killed between an answer and the record of it sends again, under the same id.
        until(lambda: house.recorded("good", "houlton") == ["first", "resolved"])
        house.worker.kill()
        house.worker.start()
        house.worker.wait_ready()
    until(lambda: reasons(house.sick, "houlton") == [Reason.FIRST, Reason.RESOLVED], 60)
    assert house.good.repeated == 0


def test_an_acknowledgement_is_sent_without_another_verdict(house: House) -> None:
    house.publish(verdict(0, breach=True, sector="havre"))
    until(lambda: reasons(house.good, "havre") == [Reason.FIRST])
    alert = next(one.notice.alert for one in house.good.received if one.notice.alert.sector == "havre")
    house.run("ack", alert.alert_id, "--by", "anna", "--reason", "on it")
    until(lambda: reasons(house.good, "havre") == [Reason.FIRST, Reason.ACKNOWLEDGED])
    held = json.loads(house.worker.get(f"/api/alerts/{alert.alert_id}") or "{}")
    assert held["acknowledged_by"] == "anna"


def test_a_route_that_is_switched_off_closes_what_it_opened_and_opens_it_when_back(
    house: House,
) -> None:
    who = ("--by", "anna", "--reason", "drill")
    house.run("route", "hooks", "--off", *who)
    assert "route hooks is off" in house.run("controls")
    until(lambda: any(one["id"] == "route/hooks" for one in board(house.worker, "controls")))
    messages = len(house.chat.messages)
    house.publish(verdict(0, breach=True, sector="detroit"))
    until(lambda: len(house.chat.messages) == messages + 1)
    until(lambda: reasons(house.good, "havre")[-1] is Reason.RESOLVED)
    assert reasons(house.good, "detroit") == []
    house.run("withdraw", "route/hooks", *who)
    until(lambda: not any(one["id"] == "route/hooks" for one in board(house.worker, "controls")))
    house.publish(verdict(0, breach=True, sector="buffalo"))
    until(lambda: reasons(house.good, "buffalo") == [Reason.FIRST])
    until(lambda: reasons(house.good, "detroit") == [Reason.FIRST])
    until(lambda: reasons(house.good, "havre")[-1] is Reason.FIRST)
    again = next(one for one in reversed(house.good.received) if one.notice.alert.sector == "havre")
    assert again.notice.headline.startswith("Acknowledged: ")


def test_a_standing_alert_is_posted_to_alertmanager_again_until_it_is_over(house: House) -> None:
    posted = house.chat.standing
    lives = lambda: [one for one in posted if one["endsAt"] > one["startsAt"]]  # noqa: E731
    house.publish(verdict(0, breach=True, sector="laredo", border="southwest"))
    until(lambda: len(lives()) >= 3)
    house.publish(*(verdict(day, breach=False, sector="laredo", border="southwest") for day in (1, 2, 3)))
    until(lambda: any("Back to normal" in one["annotations"]["description"] for one in posted))
    over = len(posted)
    time.sleep(2.5)
    assert len(posted) == over
    assert {one["labels"]["sector"] for one in posted} == {"laredo"}  # others go another way


def test_a_storm_is_a_digest_in_slack_and_every_notice_by_itself_in_a_webhook(house: House) -> None:
    storm = [verdict(0, breach=True, sector=f"storm-{at}") for at in range(60)]
    messages = len(house.chat.messages)
    house.publish(*storm)
    until(lambda: all(reasons(house.good, one.sector) == [Reason.FIRST] for one in storm))
    until(lambda: total(house.worker.samples(), "surgewatch_delivery_queue", sink="chat") == 0)
    texts = [str(message["text"]).splitlines()[0] for _, message in house.chat.messages[messages:]]
    print(texts)
    assert len(texts) <= 10
    assert any("alerts: " in text for text in texts)


def test_a_refused_notice_is_a_dead_letter_that_survives_the_worker_and_can_be_sent_again(
    house: House,
) -> None:
    with ill(house.sick, 400):
        house.publish(verdict(0, breach=True, sector="spokane-valley"))
        until(lambda: len(board(house.worker, "dead")) == 1)
        house.worker.kill()
        house.worker.start()
        house.worker.wait_ready()
        until(lambda: len(board(house.worker, "dead")) == 1)
    (letter,) = board(house.worker, "dead")
    assert (letter["sink"], letter["reason"]) == ("sick", "http_400")
    send_again(house.worker, letter["id"])
    until(lambda: reasons(house.sick, "spokane-valley") == [Reason.FIRST])
    until(lambda: board(house.worker, "dead") == [])


def test_no_secret_is_in_the_log_the_metrics_or_the_console(house: House) -> None:
    shown = house.log.read_text() + "".join(
        house.worker.get(path) or "" for path in ("/metrics", "/api/board")
    )
    assert '"complete": true' in shown  # the board is there, with all alerts
    assert "secret-path" not in shown
    assert SECRET.removeprefix("whsec_") not in shown
    assert TOKEN not in shown
