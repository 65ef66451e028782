"""The registry of places."""

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from streams.contract.sectors import TOGETHER, Registry, Sector, UnknownSectorError, registry
from streams.contract.toml_documents import DocumentError

PLACES = registry()
STATIONS = {
    "BLW": "blaine", "SPW": "spokane", "HVM": "havre", "GFN": "grand-forks",
    "DTM": "detroit", "BUN": "buffalo", "SWB": "swanton", "HLT": "houlton",
    "SDC": "san-diego", "ELC": "el-centro", "YUM": "yuma", "TCA": "tucson",
    "EPT": "el-paso", "BBT": "big-bend", "DRT": "del-rio", "LRT": "laredo",
    "RGV": "rio-grande-valley", "MIP": "miami", "NLL": "new-orleans", "RMY": "ramey",
}  # fmt: skip


@pytest.mark.parametrize(("code", "sector"), STATIONS.items())
def test_the_border_patrol_s_codes_are_known(code: str, sector: str) -> None:
    assert PLACES.find(code).id == sector


@pytest.mark.parametrize(
    ("name", "sector"),
    [
        ("San Diego Sector", "san-diego"),
        ("San Diego", "san-diego"),
        ("San Diego Field Office", "san-diego-field-office"),
        ("Preclearance Field Office", "preclearance-field-office"),
        ("RCMP Quebec", "rcmp-quebec"),
        (" quebec ", "rcmp-quebec"),
        ("Newfoundland and Labrador", "rcmp-newfoundland-and-labrador"),
        ("Roxham Road", "roxham-road"),
    ],
)
def test_places_are_found_by_the_names_of_official_files(name: str, sector: str) -> None:
    assert PLACES.find(name).id == sector


def test_neighbours_know_each_other_and_share_a_border() -> None:
    for sector in PLACES.sector:
        for other in map(PLACES.by_id.__getitem__, sector.neighbours):
            assert sector.id in other.neighbours, (sector.id, other.id)
            assert sector.border == other.border, (sector.id, other.id)
            assert sector.id != other.id


def test_the_line_is_seen_from_both_sides() -> None:
    assert "rcmp-quebec" in PLACES.by_id["swanton"].neighbours
    assert "swanton" in PLACES.by_id["cbsa-quebec-air"].neighbours


def test_every_time_zone_is_one() -> None:
    for sector in PLACES.sector:
        ZoneInfo(sector.time_zone)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownSectorError, match=r"unknown sector 'Swnton Sektor'; nearest known: swanton"):
        PLACES.find("Swnton Sektor")


def test_a_name_like_no_other_gets_no_hint() -> None:
    assert PLACES.nearest("@@@@") is None


def test_two_places_cannot_bear_one_name() -> None:
    places = [Sector(id=name, name=name, country="US", border="b", aliases=("X",)) for name in ("a", "b")]
    with pytest.raises(ValueError, match="'x' names both a and b"):
        Registry(sector=tuple(places))


def test_a_misspelt_key_is_named_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "sectors.toml"
    path.write_text('[[sector]]\nid = "a"\nname = "A"\ncountry = "US"\nborder = "b"\ntimezone = "UTC"\n')
    with pytest.raises(DocumentError, match=r"sectors\.toml:6: sector\.0\.timezone: Extra inputs"):
        registry(path)


def test_a_neighbour_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sectors.toml"
    path.write_text('[[sector]]\nid="a"\nname="A"\ncountry="US"\nborder="b"\nneighbours=["swanton"]\n')
    with pytest.raises(DocumentError, match="a: no sector 'swanton'"):
        registry(path)


def test_the_documented_sector_has_every_field_and_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    text = page.partition("```toml\n[[sector]]")[2].partition("```")[0]
    fields = tomllib.loads(text)
    assert set(fields) == set(Sector.model_fields)
    Sector.model_validate(fields)


@pytest.mark.parametrize("name", ["", " ", "Swanton ", "two\nlines"])
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Sector(id="swanton", name=name, country="US", border="northern")


def test_a_border_of_more_sectors_than_one_record_of_state_holds_is_refused_and_may_be_divided() -> None:
    def sectors(*borders: str) -> list[Sector]:
        """A chain of neighbours on each border."""
        return [
            Sector(id=f"{border}-{at}", name=f"{border} {at}", country="US", border=border,
                   neighbours=(f"{border}-{at - 1}",) if at else ())
            for border in borders
            for at in range(TOGETHER)
        ]  # fmt: skip

    assert len(Registry(sector=tuple(sectors("east", "west"))).audience) == 2 * TOGETHER
    one_more = Sector(id="one-more", name="One more", country="US", border="far", upstream=("east-0",))
    Registry(sector=(*sectors("east"), one_more))
    beside = one_more.model_copy(update={"border": "east"})
    with pytest.raises(ValueError, match=f"border east: {TOGETHER + 1} sectors are looked at together"):
        Registry(sector=(*sectors("east"), beside))
