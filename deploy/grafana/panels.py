"""The vocabulary that every dashboard is written in: queries, panels and links, each in one line."""

import warnings
from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # v2 boards need Grafana 12
    from grafana_foundation_sdk.builders import common as parts
    from grafana_foundation_sdk.builders import (
        dashboard,
        prometheus,
        stat,
        statetimeline,
        table,
        text,
        timeseries,
    )
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from streams.contract.questions import Question

Annotation, Dashboard = dashboard.AnnotationQuery, dashboard.Dashboard
PROMETHEUS = common.DataSourceRef(type_val="prometheus", uid="prometheus")

# A palette that everyone can distinguish (Okabe and Ito); each state also has its name, not colour alone.
CALM, INFO, WARNING, CRITICAL = "#009E73", "#56B4E9", "#E69F00", "#D55E00"
STATES = {"0": ("calm", CALM), "1": ("info", INFO), "2": ("warning", WARNING), "3": ("critical", CRITICAL)}
ROW = "${__data.fields.sector}"
Query = tuple[str, str]  # PromQL and legend
Steps = Sequence[tuple[float | None, str]]  # from this value on, this colour


class Panel(Protocol):
    """What the builders of all panels share."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def datasource(self, datasource: common.DataSourceRef) -> Self: ...
    def with_target(self, target: prometheus.Dataquery) -> Self: ...
    def thresholds(self, thresholds: dashboard.ThresholdsConfig) -> Self: ...
    def data_links(self, links: list[dashboard.DashboardLink]) -> Self: ...


P = TypeVar("P", bound=Panel)


def lines(
    title: str, about: str, unit: str, *queries: Query, steps: Steps = ((None, CALM),), width: int = 12
) -> timeseries.Panel:
    """Lines over time; where there is more than one step, the limits are drawn too."""
    drawn = common.GraphThresholdsStyleMode.DASHED if len(steps) > 1 else common.GraphThresholdsStyleMode.OFF
    panel = (
        timeseries.Panel()
        .fill_opacity(8)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(True)
        .axis_soft_min(0)
        .thresholds_style(parts.GraphThresholdsStyleConfig().mode(drawn))
        .tooltip(
            parts.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .legend(parts.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM))
    )
    return _fill(panel, title, about, unit, queries=queries, steps=steps, width=width, height=8)


def band(title: str, about: str, labels: str, width: int = 24) -> timeseries.Panel:
    """Observed against expected, inside the interval that is normal."""
    panel = lines(
        title,
        about,
        "short",
        (f"surgewatch_lower{{{labels}}}", "lower"),
        (f"surgewatch_upper{{{labels}}}", "upper"),
        (f"surgewatch_expected{{{labels}}}", "expected"),
        (f"surgewatch_observed{{{labels}}}", "observed"),
        width=width,
    )
    faint = [_property("custom.lineWidth", 0), _property("color", {"mode": "fixed", "fixedColor": INFO})]
    return (
        panel.override_by_name("lower", [*faint, _property("custom.fillOpacity", 0)])
        .override_by_name(
            "upper", [*faint, _property("custom.fillBelowTo", "lower"), _property("custom.fillOpacity", 20)]
        )
        .override_by_name(
            "expected",
            [
                _property("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
                _property("color", {"mode": "fixed", "fixedColor": INFO}),
            ],
        )
        .override_by_name(
            "observed",
            [_property("custom.lineWidth", 2), _property("color", {"mode": "fixed", "fixedColor": CRITICAL})],
        )
        .height(9)
    )


def figure(
    title: str, about: str, unit: str, query: Query, *, steps: Steps = ((None, CALM),), width: int = 4
) -> stat.Panel:
    """One number, coloured by its steps, with its recent course behind it."""
    panel = stat.Panel().color_mode(common.BigValueColorMode.VALUE).graph_mode(common.BigValueGraphMode.AREA)
    panel = panel.reduce_options(parts.ReduceDataOptions().calcs(["lastNotNull"]))
    return _fill(panel, title, about, unit, queries=(query,), steps=steps, width=width, height=4)


def tiles(title: str, about: str, query: Query, *, width: int = 24, height: int = 8) -> stat.Panel:
    """A grid of tiles, one a series, by state: colour and name."""
    panel = (
        stat.Panel()
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(parts.ReduceDataOptions().calcs(["lastNotNull"]))
        .mappings([_states()])
    )
    return _fill(
        panel,
        title,
        about,
        "none",
        queries=(query,),
        steps=_state_steps(),
        width=width,
        height=height,
        instant=True,
    )


def course(title: str, about: str, query: Query, *, width: int = 24, height: int = 10) -> statetimeline.Panel:
    """The state of each series over time, one row each."""
    panel = (
        statetimeline.Panel().mappings([_states()]).show_value(common.VisibilityMode.NEVER).row_height(0.85)
    )
    return _fill(
        panel, title, about, "none", queries=(query,), steps=_state_steps(), width=width, height=height
    )


def rows(
    title: str,
    about: str,
    unit: str,
    query: Query,
    *,
    hidden: Sequence[str],
    width: int = 12,
    steps: Steps = ((None, CALM),),
) -> table.Panel:
    """A table of what is now, largest first; `hidden` are labels nobody reads."""
    panel = table.Panel().with_transformation(
        models.DataTransformerConfig(
            id_val="organize", options={"excludeByName": dict.fromkeys(("Time", "__name__", *hidden), True)}
        )
    )
    if "question" in query[0]:
        coloured = common.TableColorTextCellOptions()
        panel.override_by_name(
            "question", [_property("mappings", [_questions()]), _property("custom.cellOptions", coloured)]
        )
    return _fill(
        panel,
        title,
        about,
        unit,
        queries=(query,),
        steps=steps,
        width=width,
        height=8,
        instant=True,
        shape=PromQueryFormat.TABLE,
    )


def page(content: str) -> text.Panel:
    """Markdown over a whole dashboard."""
    return text.Panel().mode(TextMode.MARKDOWN).content(content).span(24).height(20).transparent(True)


def link(title: str, url: str, keep_time: bool = True) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url).keep_time(keep_time)


def to_sector(sector: str = "${__field.labels.sector}") -> dashboard.DashboardLink:
    """From a series (or a row: ROW) to its sector's dashboard, at the same time range."""
    return link("Sector", f"/d/surgewatch-sector?var-sector={sector}&${{__url_time_range}}")


def to_runbook() -> dashboard.DashboardLink:
    """From a row of alerts to what is to be done about its question."""
    return link("What to do", "/d/runbook-${__data.fields.question}", keep_time=False)


def choice(
    name: str, label: str, query: str, *, many: bool = False, first: str = ""
) -> dashboard.QueryVariable:
    """A drop-down that Prometheus fills; `first` is what it starts with, if that is there."""
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .query({"query": query, "refId": name})
        .datasource(PROMETHEUS)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if first:
        variable = variable.current(models.VariableOption(text=first, value=first))
    return variable.multi(True).include_all(True) if many else variable


def board(uid: str, title: str, about: str, since: str) -> dashboard.Dashboard:
    """An empty dashboard with the links that lead from each to all others."""
    empty = dashboard.Dashboard(title).uid(uid).description(about).tags(["surgewatch"]).timezone("utc")
    empty = empty.time(since, "now").refresh("30s").readonly()
    for name in ("Situation", "Sector", "Service"):
        empty = empty.link(link(name, f"/d/surgewatch-{name.lower()}"))
    return empty.link(link("Runbooks", "/dashboards?tag=runbook", keep_time=False))


def limits(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _fill(
    panel: P,
    title: str,
    about: str,
    unit: str,
    *,
    queries: Sequence[Query],
    steps: Steps,
    width: int,
    height: int,
    instant: bool = False,
    shape: PromQueryFormat = PromQueryFormat.TIME_SERIES,
) -> P:
    """What every panel has, whatever it looks like."""
    for letter, (expression, legend) in zip("ABCDEFGH", queries, strict=False):
        target = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter).format(shape)
        panel = panel.with_target(target.instant() if instant else target.range())
    panel = panel.title(title).description(about).unit(unit).datasource(PROMETHEUS)
    return panel.span(width).height(height).thresholds(limits(steps))


def _property(name: str, value: object) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val=name, value=value)


def _questions() -> models.ValueMap:
    """Each question in its colour. Its name stays: links are made of it."""
    return models.ValueMap(
        options={
            question.value: models.ValueMappingResult(color=question.entry.colour, index=index)
            for index, question in enumerate(Question)
        }
    )


def _states() -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=name, color=colour, index=int(value))
            for value, (name, colour) in STATES.items()
        }
    )


def _state_steps() -> Steps:
    return [(None if value == "0" else float(value), colour) for value, (_, colour) in STATES.items()]
