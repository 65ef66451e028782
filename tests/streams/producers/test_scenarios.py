"""Scenarios: the levels they quote, the rhythm they have, and that a seed gives the same events again."""

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.contract.toml_documents import DocumentError
from streams.counting.decoder import Decoder
from streams.producers.scenario import Scenario, names, scenario
from streams.producers.simulation import daily_means

PLACES = registry()
NOW = 1_900_000_000.0
QUEBEC = ZoneInfo("America/Toronto")


def people_by_month(story: Scenario, sector: str, seed: int | None = None) -> Counter[str]:
    zone = ZoneInfo(PLACES.find(sector).time_zone)
    people: Counter[str] = Counter()
    for event in Decoder(PLACES).decode([r.value for r in story.events(PLACES, seed)], NOW).events:
        if event.sector == sector:
            people[dt.datetime.fromtimestamp(event.event_time, zone).strftime("%Y-%m")] += event.count
    return people


@pytest.mark.parametrize("name", names())
def test_a_scenario_arrives_in_order_under_the_keys_of_its_sectors(name: str) -> None:
    story = scenario(name)
    records = list(story.events(PLACES))
    assert [record.at for record in records] == sorted(record.at for record in records)
    assert {record.key.decode() for record in records} == {PLACES.find(flow.sector).id for flow in story.flow}
    assert len(records) < 150_000


@pytest.mark.parametrize("name", [name for name in names() if name != "chaos"])
def test_a_scenario_without_trouble_is_all_encounters_with_ids_of_their_own(name: str) -> None:
    values = [record.value for record in scenario(name).events(PLACES)]
    decoded = Decoder(PLACES).decode(values, NOW)
    assert not decoded.rejected
    assert len({event.event_id for event in decoded.events}) == len(values)
    for value in values[::500]:
        Encounter.model_validate_json(value, strict=True)


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    story = scenario("swanton-2022")
    first, again, other = (list(story.events(PLACES, seed)) for seed in (5, 5, 6))
    assert first == again
    assert [record.at for record in first] != [record.at for record in other]


def test_a_cut_is_a_part_of_the_same_story() -> None:
    story = scenario("swanton-2022")
    start, end = dt.datetime(2022, 7, 1, tzinfo=dt.UTC), dt.datetime(2022, 9, 1, tzinfo=dt.UTC)
    part = list(story.events(PLACES, start=start, end=end))
    assert part == [r for r in story.events(PLACES) if start.timestamp() <= r.at < end.timestamp()]
    assert part


@pytest.mark.parametrize("name", ["roxham-2022", "swanton-2022"])
def test_the_quoted_levels_are_met_month_by_month(name: str) -> None:
    story = scenario(name)
    flow = story.flow[0]
    people = people_by_month(story, PLACES.find(flow.sector).id)
    for month, level in flow.months.items():
        # variance of a month: dispersion and groups (geometric sizes) make it (dispersion + 2 group) x level
        spread = ((flow.dispersion + 2 * flow.group) * level) ** 0.5
        assert abs(people[month] - level) <= 4.5 * spread + 5, (month, people[month], level)


def test_the_treaty_ends_the_crossing_on_its_day_and_people_come_by_air() -> None:
    story = scenario("roxham-2022")
    quebec, air = (next(f for f in story.flow if f.sector == s) for s in ("rcmp-quebec", "cbsa-quebec-air"))
    days, crossing = daily_means(story._profile(quebec, PLACES))
    _, flying = daily_means(story._profile(air, PLACES))
    at = days.index(dt.date(2023, 3, 25))
    assert crossing[at - 7 : at].mean() > 50 * crossing[at : at + 7].mean()
    assert flying[at : at + 7].mean() > 1.5 * flying[at - 7 : at].mean()


def test_in_del_rio_one_nationality_triples_while_the_sector_rises_by_a_third() -> None:
    haitians, others = scenario("del-rio-2021").flow[:2]
    august, september = "2021-08", "2021-09"
    assert haitians.months[september] / haitians.months[august] > 3
    whole = [haitians.months[month] + others.months[month] for month in (august, september)]
    assert 1.3 < whole[1] / whole[0] < 1.35


def test_quiet_is_level() -> None:
    for flow in scenario("quiet").flow:
        _, means = daily_means(scenario("quiet")._profile(flow, PLACES))
        weeks = means[: len(means) // 7 * 7].reshape(-1, 7).sum(axis=1)
        assert weeks.max() / weeks.min() < 1.02


def test_chaos_has_the_trouble_that_it_describes() -> None:
    story = scenario("chaos")
    records = list(story.events(PLACES))
    decoded = Decoder(PLACES).decode([record.value for record in records], NOW)
    ids = Counter(event.event_id for event in decoded.events)
    late = sum(event.reported_at > event.event_time for event in decoded.events)
    assert story.trouble is not None
    assert sum(ids.values()) / len(ids) - 1 == pytest.approx(story.trouble.duplicate, abs=0.005)
    assert len(decoded.rejected) / len(ids) == pytest.approx(story.trouble.malformed, abs=0.005)
    assert late / len(decoded.events) == pytest.approx(story.trouble.late, abs=0.01)
    assert len({bad.reason for bad in decoded.rejected}) >= 6
    times = [event.event_time for event in decoded.events]
    assert times != sorted(times)


def test_arrivals_are_grouped_over_dispersed_and_busier_by_day() -> None:
    records = [
        json.loads(record.value) for record in scenario("quiet").events(PLACES) if record.key == b"tucson"
    ]
    moments = [dt.datetime.fromisoformat(record["occurred_at"]) for record in records]
    days = Counter(moment.astimezone(ZoneInfo("America/Phoenix")).date() for moment in moments)
    counts = np.array(list(days.values()))
    hours = Counter(moment.astimezone(ZoneInfo("America/Phoenix")).hour for moment in moments)
    assert 1.1 < counts.var() / counts.mean() < 1.5
    assert np.mean([record["count"] for record in records]) == pytest.approx(1.3, abs=0.02)
    assert hours[12] > 1.5 * hours[4]


months = st.dictionaries(st.integers(0, 5), st.floats(0, 5_000), min_size=6).map(
    lambda levels: {f"2022-{m + 1:02d}": levels[m] for m in sorted(levels)}
)


@settings(deadline=None)
@given(months, st.lists(st.dates(dt.date(2022, 1, 1), dt.date(2022, 6, 30)), max_size=3))
def test_days_add_up_to_their_months_whatever_the_breaks(
    levels: dict[str, float], breaks: list[dt.date]
) -> None:
    story = scenario("quiet")
    flow = story.flow[0].model_copy(update={"months": levels, "breaks": tuple(breaks)})
    days, means = daily_means(story._profile(flow, PLACES))
    assert (means >= 0).all()
    for month, level in levels.items():
        assert sum(m for d, m in zip(days, means, strict=True) if f"{d:%Y-%m}" == month) == pytest.approx(
            level
        )


def test_an_unknown_scenario_is_answered_with_those_that_are_there() -> None:
    with pytest.raises(
        DocumentError, match=r"no scenario 'roxam'; there are chaos, del-rio-2021, quiet, roxham"
    ):
        scenario("roxam")


def test_a_scenario_of_one_s_own_is_checked_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = "t"\nsead = 3\nflow = []\n')
    with pytest.raises(DocumentError, match=r"mine\.toml:3: sead: Extra inputs"):
        scenario(str(path))
