"""Run in a checkout that has the toy detector: print what becomes of a day that doubles, as JSON."""

import json

import numpy as np

from alerts.console.board import Board
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from alerts.notices.routing import Route, Routing
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import registry
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.judging.judge import Judge
from surgewatch.harness.records import Record

FIRST, DAYS = 19_000, 40


def main() -> None:
    """Forty days of 30 people, and one of 90."""
    counts, judge = Counts("swanton"), Judge(registry())
    people = np.append(np.full(DAYS, 30), 90).astype(np.int32)
    counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY], FIRST, people)
    last = FIRST + DAYS
    judge.ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=last - 1)
    verdicts = judge.ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=last)
    [verdict] = [one for one in verdicts if one.question == "doubled"]
    alerts, board = AlertPipeline(policies()), Board()
    changes = alerts.process(0, [Record(0, verdict.model_dump_json().encode())]).changes
    [notice] = NoticeHistory(policies(), registry()).follow(changes, 0.0)
    board.alert(notice.alert)
    [shown] = board.snapshot().as_json()["alerts"]
    routing = Routing([Route(sinks=("shift",), question=("doubled",))])
    print(
        json.dumps(
            {
                "alpha": verdict.evidence.alpha,
                "headline": notice.headline,
                "severity": notice.alert.severity,
                "routed": bool(routing.covering("shift", notice.alert)),
                "shown": [shown["question"], shown["title"], shown["colour"]],
                "remembered": counts.state.daily.detectors["doubled"],
            }
        )
    )


if __name__ == "__main__":
    main()
