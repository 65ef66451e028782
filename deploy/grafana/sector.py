"""One sector: what was seen, what was expected, and why."""

from collections.abc import Iterator

import panels
from panels import CALM, CRITICAL, WARNING, Dashboard
from situation import state

ONE = 'sector="$sector"'


def _last_day() -> Iterator[panels.Panel]:
    """The state, and the last judged day in numbers."""
    yield panels.tiles(
        "State", "The worst alert that stands here", (state(ONE), "{{sector}}"), width=4, height=4
    )
    yield panels.figure(
        "Observed, last judged day",
        "People",
        "short",
        (f'surgewatch_observed{{{ONE},window="day"}}', "observed"),
    )
    yield panels.figure(
        "Against expected",
        "Seen over expected on that day",
        "percentunit",
        (
            f'surgewatch:observed:ratio{{{ONE},window="day"}}',
            "ratio",
        ),
        steps=[(None, CALM), (1.5, WARNING), (3, CRITICAL)],
    )
    yield panels.figure(
        "Chance",
        "Probability of as many or more, were all normal",
        "none",
        (f'surgewatch_p_value{{{ONE},window="day"}}', "p"),
        steps=[(None, CRITICAL), (0.0001, WARNING), (0.01, CALM)],
    )
    yield panels.figure(
        "Late share",
        "Of the people counted here, those in periods already closed",
        "percentunit",
        (
            f"sum(surgewatch_late_events_total{{{ONE}}}) / sum(surgewatch_counted_people_total{{{ONE}}})"
            " or vector(0)",
            "late",
        ),
        steps=[(None, CALM), (0.1, WARNING), (0.3, CRITICAL)],
    )
    yield panels.figure(
        "Watermark age",
        "How long ago the newest event happened",
        "s",
        (f"surgewatch_watermark_age_seconds{{{ONE}}}", "age"),
        steps=[(None, CALM), (86400, WARNING), (259200, CRITICAL)],
    )


def _course() -> Iterator[panels.Panel]:
    """People, neighbours and slices over time."""
    yield panels.band(
        "$window: observed against expected",
        "Inside the band is what is normal here",
        f'{ONE},window="$window"',
    ).repeat("window")
    yield panels.lines(
        "Neighbours on the same border",
        "People seen on the last judged day over those expected",
        "percentunit",
        (
            'surgewatch:observed:ratio{window="day"} and on (sector) '
            "(surgewatch_sector_info * on (border) group_left () "
            f"max by (border) (surgewatch_sector_info{{{ONE}}}))",
            "{{sector}}",
        ),
        steps=[(None, CALM), (1.5, WARNING)],
    ).data_links([panels.to_sector()])
    yield panels.lines(
        "From where",
        "The nationalities that were most on the last closed day",
        "short",
        (f'topk(8, max by (slice) (surgewatch_slice_people{{{ONE},kind="citizenship"}}))', "{{slice}}"),
    )
    yield panels.lines(
        "Who",
        "Families, children and adults on the last closed day, and where they were met",
        "short",
        (f'max by (slice) (surgewatch_slice_people{{{ONE},kind!="citizenship"}})', "{{slice}}"),
    )
    yield panels.lines(
        "People counted",
        "All in the books of this sector, corrections taken off",
        "short",
        (f"surgewatch_people{{{ONE}}}", "people"),
    )


def _alerts() -> Iterator[panels.Panel]:
    """What stands here."""
    yield panels.rows(
        "Alerts here",
        "By question and state",
        "short",
        (f"surgewatch_alerts{{{ONE}}} > 0", "{{question}}"),
        hidden=("instance", "job", "sector", "Value"),
        width=24,
    ).data_links([panels.to_runbook()])


def sector() -> Dashboard:
    board = panels.board(
        "surgewatch-sector", "Sector", "One sector: what was seen, what was expected, and why", "now-90d"
    )
    board = board.with_variable(panels.choice("sector", "Sector", "label_values(surgewatch_people, sector)"))
    board = board.with_variable(
        panels.choice(
            "window", "Window", 'label_values(surgewatch_observed{sector="$sector"}, window)', many=True
        )
    )
    board = board.annotation(
        panels.Annotation()
        .name("Alerts")
        .datasource(panels.PROMETHEUS)
        .enable(True)
        .icon_color(CRITICAL)
        .expr('surgewatch:alerts:firing{sector="$sector"}')
        .step("60s")
        .title_format("{{question}}")
        .text_format("{{severity}}")
        .tag_keys("question,severity")
    )
    for panel in (*_last_day(), *_course(), *_alerts()):
        board = board.with_panel(panel)
    return board
