"""One sector: what was seen, what was expected, and why."""

import panels
from panels import CALM, CRITICAL, WARNING, Dashboard
from situation import state


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
    one = 'sector="$sector"'
    for panel in (
        panels.tiles(
            "State", "The worst alert that stands here", (state(one), "{{sector}}"), width=4, height=4
        ),
        panels.figure(
            "Observed, last judged day",
            "People",
            "short",
            (f'surgewatch_observed{{{one},window="day"}}', "observed"),
        ),
        panels.figure(
            "Against expected",
            "Seen over expected on that day",
            "percentunit",
            (
                f'surgewatch:observed:ratio{{{one},window="day"}}',
                "ratio",
            ),
            [(None, CALM), (1.5, WARNING), (3, CRITICAL)],
        ),
        panels.figure(
            "Chance",
            "Probability of as many or more, were all normal",
            "none",
            (f'surgewatch_p_value{{{one},window="day"}}', "p"),
            [(None, CRITICAL), (0.0001, WARNING), (0.01, CALM)],
        ),
        panels.figure(
            "Late share",
            "Of the people counted here, those in periods already closed",
            "percentunit",
            (
                f"sum(surgewatch_late_events_total{{{one}}}) / sum(surgewatch_counted_people_total{{{one}}})"
                " or vector(0)",
                "late",
            ),
            [(None, CALM), (0.1, WARNING), (0.3, CRITICAL)],
        ),
        panels.figure(
            "Watermark age",
            "How long ago the newest event happened",
            "s",
            (f"surgewatch_watermark_age_seconds{{{one}}}", "age"),
            [(None, CALM), (86400, WARNING), (259200, CRITICAL)],
        ),
        panels.band(
            "$window: observed against expected",
            "Inside the band is what is normal here",
            f'{one},window="$window"',
        ).repeat("window"),
        panels.lines(
            "Neighbours on the same border",
            "People seen on the last judged day over those expected",
            "percentunit",
            (
                'surgewatch:observed:ratio{window="day"} and on (sector) '
                "(surgewatch_sector_info * on (border) group_left () "
                f"max by (border) (surgewatch_sector_info{{{one}}}))",
                "{{sector}}",
            ),
            steps=[(None, CALM), (1.5, WARNING)],
        ).data_links([panels.to_sector()]),
        panels.lines(
            "From where",
            "The nationalities that were most on the last closed day",
            "short",
            (f'topk(8, max by (slice) (surgewatch_slice_people{{{one},kind="citizenship"}}))', "{{slice}}"),
        ),
        panels.lines(
            "Who",
            "Families, children and adults on the last closed day, and where they were met",
            "short",
            (f'max by (slice) (surgewatch_slice_people{{{one},kind!="citizenship"}})', "{{slice}}"),
        ),
        panels.lines(
            "People counted",
            "All in the books of this sector, corrections taken off",
            "short",
            (f"surgewatch_people{{{one}}}", "people"),
        ),
        panels.rows(
            "Alerts here",
            "By question and state",
            "short",
            (f"surgewatch_alerts{{{one}}} > 0", "{{question}}"),
            ("instance", "job", "sector", "Value"),
            width=24,
        ).data_links([panels.to_runbook()]),
    ):
        board = board.with_panel(panel)
    return board
