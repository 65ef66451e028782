"""A critical alert cannot become more severe. That it grows far is sent all the same."""

import pytest

from alerts.languages.language import language
from alerts.lifecycle.alert import Reason, Severity
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.outcomes import Refused, Retry
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink, reasons
from tests.stories.made import CRITICAL, acknowledge, breach, calm, silence

GONE = Retry("http_500")


def test_a_critical_alert_that_grows_is_worse_at_each_doubling_and_no_oftener() -> None:
    desk = OneSink()
    assert reasons(desk.judge(breach(0, 90))) == [Reason.FIRST]
    assert desk.judge(breach(1, 179)) == []
    (notice,) = desk.judge(breach(2, 400))
    assert (notice.reason, notice.alert.severity) == (Reason.WORSE, Severity.CRITICAL)
    assert notice.headline == "Worse: Surge at Swanton: 400 in 1 day, expected 30 (×13.3)"
    assert notice.text.splitlines()[0] == "Last notice: 90 in 1 day, expected 30 (×3.0)."
    assert desk.judge(breach(3, 100), breach(4, 790), breach(5, 400)) == []
    assert reasons(desk.judge(breach(6, 800))) == [Reason.WORSE]
    assert reasons(desk.judge(*calm(first=7))) == [Reason.RESOLVED]


def test_a_period_that_is_still_filling_is_worse_at_each_doubling_too() -> None:
    desk = OneSink()
    sent = [desk.judge(verdict(0, breach=True, observed=people, closed=False)) for people in (95, 120)]
    assert [reasons(notices) for notices in sent] == [[Reason.FIRST], []]
    assert reasons(desk.judge(verdict(0, breach=True, observed=190))) == [Reason.WORSE]


def test_a_longer_window_of_as_many_people_a_day_is_no_growth() -> None:
    desk = OneSink()
    desk.judge(verdict(0, breach=True, observed=700, expected=210, window=7))
    assert desk.judge(verdict(1, breach=True, observed=1400, expected=420, window=14)) == []


def test_a_warning_that_doubles_is_worse_by_its_severity_alone() -> None:
    desk = OneSink(policies=Policies(default=Policy(most=Severity.WARNING)))
    assert reasons(desk.judge(breach(0, 60))) == [Reason.FIRST]
    assert desk.judge(breach(1, 400)) == []


def test_growth_in_a_silence_or_while_the_sink_is_away_is_one_message_afterwards() -> None:
    desk = OneSink()
    desk.judge(breach(0, 90))
    desk.apply(silence(desk, 1))
    assert desk.judge(breach(1, 200), breach(2, 500)) == []
    assert reasons(desk.wait(hours=1.1)) == [Reason.WORSE]
    desk.answer = GONE
    assert desk.judge(breach(3, 1100), breach(4, 2300)) == []
    desk.answer, desk.steady = OneSink().answer, desk.steady + 60
    (notice,) = desk.sent()
    assert (notice.reason, notice.alert.latest.evidence.observed) == (Reason.WORSE, 2300)


def test_who_takes_care_hears_of_growth_and_growth_restarts_no_escalation() -> None:
    desk = OneSink(policies=Policies(default=Policy(unanswered_minutes=(15, 60))))
    desk.judge(breach(0, CRITICAL))
    assert reasons(desk.wait(minutes=20)) == [Reason.UNANSWERED]
    assert reasons(desk.judge(breach(1, 2 * CRITICAL))) == [Reason.WORSE]
    assert desk.wait(minutes=20) == []
    assert reasons(desk.wait(minutes=25)) == [Reason.UNANSWERED]
    desk.apply(acknowledge(desk))
    (notice,) = desk.judge(breach(2, 4 * CRITICAL))
    assert notice.reason is Reason.WORSE
    assert "anna takes care of it." in notice.text.splitlines()


def test_growth_that_is_refused_is_tried_again_at_the_next_doubling() -> None:
    desk = OneSink()
    desk.judge(breach(0, 90))
    desk.answer = Refused("http_400")
    desk.judge(breach(1, 200), breach(2, 210))
    assert len(desk.dead) == 1
    desk.answer = OneSink().answer
    assert desk.judge(breach(3, 220)) == []
    assert reasons(desk.judge(breach(4, 450))) == [Reason.WORSE]


def test_a_restart_sends_no_growth_again() -> None:
    desk = OneSink()
    desk.judge(breach(0, 90), breach(1, 400))
    desk.restart()
    assert desk.sent() == []


@pytest.mark.parametrize(("times", "sent"), [(4.0, [Reason.WORSE]), (1e9, [])])
def test_how_far_it_has_to_grow_is_policy(times: float, sent: list[Reason]) -> None:
    desk = OneSink(policies=Policies(default=Policy(worse_times=times)))
    desk.judge(breach(0, 90))
    assert desk.judge(breach(1, 350)) == []
    assert reasons(desk.judge(breach(2, 400))) == sent


def test_growth_reads_well_in_every_language() -> None:
    for code, lead in (("fr", "Aggravation"), ("es", "Empeora")):
        desk = OneSink(language=language(code))
        desk.judge(breach(0, 90))
        (notice,) = desk.judge(breach(1, 400))
        assert notice.headline.startswith(lead), notice.headline
