"""All sectors at a glance: which are in trouble, which move, and the totals by country and border."""

from collections.abc import Iterator

import panels
from panels import CALM, CRITICAL, WARNING, Dashboard

FIRING = 'surgewatch_alerts{state="firing"'


def state(labels: str = "") -> str:
    """The worst alert that stands in each sector: 0 calm, 1 info, 2 warning, 3 critical."""
    return f"""max by (sector) (
  3 * ({FIRING},severity="critical",{labels}}} > bool 0)
  or 2 * ({FIRING},severity="warning",{labels}}} > bool 0)
  or ({FIRING},severity="info",{labels}}} > bool 0)
  or 0 * surgewatch_observed{{{labels}}}
)"""


def _in_numbers() -> Iterator[panels.Panel]:
    """All sectors together, in six numbers."""
    yield panels.figure(
        "Firing",
        "Alerts that stand now",
        "short",
        (f"sum({FIRING}}}) or vector(0)", "firing"),
        steps=[(None, CALM), (1, WARNING), (10, CRITICAL)],
    )
    yield panels.figure(
        "Critical",
        "Of these, critical ones",
        "short",
        (f'sum({FIRING},severity="critical"}}) or vector(0)', "critical"),
        steps=[(None, CALM), (1, CRITICAL)],
    )
    yield panels.figure(
        "Records",
        "Sectors that never saw as many people",
        "short",
        (f'count({FIRING},question="record"}} > 0) or vector(0)', "records"),
        steps=[(None, CALM), (1, WARNING)],
    )
    yield panels.figure(
        "People, last $window",
        "All sectors together",
        "short",
        ('sum(surgewatch_observed{window="$window"})', "people"),
    )
    yield panels.figure(
        "Against expected",
        "All sectors together: seen over expected",
        "percentunit",
        (
            'sum(surgewatch_observed{window="$window"}) / sum(surgewatch_expected{window="$window"})',
            "of expected",
        ),
        steps=[(None, CALM), (1.25, WARNING), (2, CRITICAL)],
    )
    yield panels.figure(
        "Sectors with events",
        "Sectors for which events were counted",
        "short",
        ("count(surgewatch_people)", "sectors"),
    )


def _sectors() -> Iterator[panels.Panel]:
    """Which sectors are in trouble, and since when."""
    yield panels.tiles(
        "Sectors by state",
        "The worst alert that stands in each sector; click for the sector",
        (state(), "{{sector}}"),
    ).data_links([panels.to_sector()])
    yield panels.course(
        "Course of states", "When which sector was troubled", (state(), "{{sector}}")
    ).data_links([panels.to_sector()])
    yield panels.rows(
        "Top movers",
        "People seen in the last judged $window over those expected",
        "percentunit",
        (
            'sort_desc(topk(10, surgewatch:observed:ratio{window="$window"}))',
            "{{sector}}",
        ),
        hidden=("instance", "job", "window"),
        steps=[(None, CALM), (1.5, WARNING), (3, CRITICAL)],
    ).data_links([panels.to_sector(panels.ROW)])
    yield panels.rows(
        "Standing alerts",
        "One row an alert; click for the sector or what to do",
        "short",
        (f"sum by (sector, border, question, severity) ({FIRING}}}) > 0", "{{sector}} {{question}}"),
        hidden=("Value",),
    ).data_links(
        [
            panels.to_sector(panels.ROW),
            panels.to_runbook(),
        ]
    )


def _totals() -> Iterator[panels.Panel]:
    """People by country and by border."""
    yield panels.lines(
        "National lines",
        "People seen by country, each $window",
        "short",
        (
            'sum by (country) (surgewatch_observed{window="$window"} * on (sector) group_left (country) '
            "max by (sector, country) (surgewatch_sector_info))",
            "{{country}} observed",
        ),
        (
            'sum by (country) (surgewatch_expected{window="$window"} * on (sector) group_left (country) '
            "max by (sector, country) (surgewatch_sector_info))",
            "{{country}} expected",
        ),
    )
    yield panels.lines(
        "By border",
        "People seen over those expected, each $window",
        "percentunit",
        (
            'sum by (border) (surgewatch_observed{window="$window"} * on (sector) group_left (border) '
            "max by (sector, border) (surgewatch_sector_info)) / sum by (border) "
            '(surgewatch_expected{window="$window"} * on (sector) group_left (border) '
            "max by (sector, border) (surgewatch_sector_info))",
            "{{border}}",
        ),
        steps=[(None, CALM), (1.5, WARNING)],
    )


def situation() -> Dashboard:
    board = panels.board("surgewatch-situation", "Situation", "All sectors at a glance", "now-30d")
    board = board.with_variable(
        panels.choice("window", "Window", "label_values(surgewatch_observed, window)", first="day")
    )
    for panel in (*_in_numbers(), *_sectors(), *_totals()):
        board = board.with_panel(panel)
    return board
