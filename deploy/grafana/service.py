"""Surgewatch itself: what to look at before it is believed."""

from collections.abc import Iterator

import panels
from panels import CALM, CRITICAL, INFO, WARNING, Dashboard

WORKERS = 'job=~"surgewatch-.*"'
EVENTS = "surgewatch_events_total"
SLOW = ((None, CALM), (1.0, WARNING), (30.0, CRITICAL))  # seconds


def rate(metric: str, by: str = "") -> str:
    """A second, over all workers."""
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "") -> str:
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', f'{by}le')})"


def _at_a_glance() -> Iterator[panels.Panel]:
    """What is wrong now, in six numbers."""
    yield panels.figure(
        "Workers up",
        "Answering to Prometheus",
        "short",
        (f"sum(up{{{WORKERS}}})", "up"),
        steps=[(None, CRITICAL), (2, CALM)],
    )
    yield panels.figure(
        "Lag",
        "Records that wait, all topics",
        "short",
        ("sum(surgewatch_consumer_lag)", "records"),
        steps=[(None, CALM), (10_000, WARNING), (1_000_000, CRITICAL)],
    )
    yield panels.figure(
        "Freshest watermark",
        "Age of the newest event of any sector",
        "s",
        ("min(surgewatch_watermark_age_seconds)", "age"),
        steps=[(None, CALM), (3600, WARNING), (21600, CRITICAL)],
    )
    yield panels.figure(
        "Rejected",
        "Of all events, since the workers started",
        "percentunit",
        (
            f'(sum({EVENTS}{{outcome="rejected"}}) or vector(0)) / sum({EVENTS})',
            "rejected",
        ),
        steps=[(None, CALM), (0.001, WARNING), (0.01, CRITICAL)],
    )
    yield panels.figure(
        "Notices given up",
        "Refused or out of tries; they lie in notices.dead",
        "short",
        ('sum(surgewatch_deliveries_total{outcome=~"refused|dead"}) or vector(0)', "given up"),
        steps=[(None, CALM), (1, CRITICAL)],
    )
    yield panels.figure(
        "Event to notice, p99",
        "From the arrival of an event to the first delivery",
        "s",
        ("histogram_quantile(0.99, sum by (le) (surgewatch_event_to_notice_seconds_bucket))", "p99"),
        steps=SLOW,
    )


def _events() -> Iterator[panels.Panel]:
    """From the broker to a count."""
    yield panels.lines(
        "Events by outcome",
        "A second, over all workers",
        "cps",
        (rate("surgewatch_events_total", "outcome"), "{{outcome}}"),
    )
    yield panels.lines(
        "Rejected by reason",
        "A second; the records lie in encounters.dead",
        "cps",
        (rate("surgewatch_rejected_total", "reason"), "{{reason}}"),
    )
    yield panels.lines(
        "Lag",
        "Records that wait",
        "short",
        ("sum by (job, topic) (surgewatch_consumer_lag)", "{{topic}}"),
        steps=[(None, CALM), (10_000, WARNING)],
    )
    yield panels.lines(
        "Watermark age",
        "The sectors whose newest events are oldest",
        "s",
        ("topk(10, surgewatch_watermark_age_seconds)", "{{sector}}"),
        steps=[(None, CALM), (259200, WARNING)],
    ).data_links([panels.to_sector()])
    yield panels.lines(
        "Heartbeat age",
        "The sources whose newest heartbeats are oldest",
        "s",
        ("topk(10, min by (source) (surgewatch_feed_age_seconds))", "{{source}}"),
    )
    yield panels.lines(
        "Event time by partition",
        "How far each partition has come",
        "dateTimeAsIso",
        ("surgewatch_event_time_seconds * 1000", "partition {{partition}}"),
    )
    yield panels.lines(
        "Late people",
        "Counted into periods already closed, a second: the sectors with most",
        "cps",
        (
            f"topk(10, {rate('surgewatch_late_events_total', 'sector')})",
            "{{sector}}",
        ),
    )
    yield panels.lines(
        "Batch",
        "Seconds of work a batch",
        "s",
        (
            quantile(0.5, "surgewatch_batch_seconds"),
            "p50",
        ),
        (
            quantile(0.99, "surgewatch_batch_seconds"),
            "p99",
        ),
        steps=[(None, CALM), (2, WARNING)],
    )
    yield panels.lines(
        "Events a batch",
        "What the broker hands over at once",
        "short",
        (
            f"{rate('surgewatch_batch_events_sum')} / {rate('surgewatch_batch_events_count')}",
            "mean",
        ),
    )


def _notices() -> Iterator[panels.Panel]:
    """From a verdict to a delivery."""
    yield panels.lines(
        "Verdicts",
        "A second, by question",
        "cps",
        (
            rate("surgewatch_verdicts_total", "question, breach"),
            "{{question}} breach={{breach}}",
        ),
    )
    yield panels.lines(
        "Alert transitions",
        "A second, by the state that was reached",
        "cps",
        (rate("surgewatch_alert_transitions_total", "state"), "{{state}}"),
    )
    yield panels.lines(
        "Notices",
        "A second, by reason",
        "cps",
        (rate("surgewatch_notices_total", "reason"), "{{reason}}"),
    )
    yield panels.lines(
        "Deliveries",
        "A second, by sink and outcome",
        "cps",
        (
            rate("surgewatch_deliveries_total", "sink, outcome"),
            "{{sink}} {{outcome}}",
        ),
    )
    yield panels.lines(
        "Delivery time, p99",
        "Seconds an attempt takes",
        "s",
        (
            quantile(0.99, "surgewatch_delivery_seconds", "sink, "),
            "{{sink}}",
        ),
        steps=SLOW,
    )
    yield panels.lines(
        "Delivery queue",
        "Notices that wait for a sink",
        "short",
        ("sum by (sink) (surgewatch_delivery_queue)", "{{sink}}"),
        steps=[(None, CALM), (50, WARNING)],
    )
    yield panels.lines(
        "Oldest notice",
        "Seconds that the oldest notice of a sink has been due",
        "s",
        ("max by (sink) (surgewatch_delivery_oldest_seconds)", "{{sink}}"),
        steps=[(None, CALM), (900, CRITICAL)],
    )
    yield panels.lines(
        "Dead letters",
        "Notices that were never delivered and wait to be sent again",
        "short",
        ("max by (sink) (surgewatch_dead_letters)", "{{sink}}"),
        steps=[(None, CALM), (1, WARNING)],
    )


def _state() -> Iterator[panels.Panel]:
    """What the workers keep."""
    yield panels.figure(
        "Recovery",
        "Seconds from start to work, last time",
        "s",
        ("max(surgewatch_recovery_seconds)", "recovery"),
        steps=[(None, CALM), (30, WARNING), (120, CRITICAL)],
        width=12,
    )
    yield panels.figure(
        "State",
        "Bytes written to the changelog since the workers started",
        "bytes",
        ("sum(surgewatch_state_bytes)", "state"),
        steps=[(None, INFO)],
        width=12,
    )


def service() -> Dashboard:
    board = panels.board(
        "surgewatch-service", "Service", "Surgewatch itself: what to look at before it is believed", "now-6h"
    )
    for panel in (*_at_a_glance(), *_events(), *_notices(), *_state()):
        board = board.with_panel(panel)
    return board
