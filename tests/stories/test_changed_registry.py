"""A registry that is edited between two runs of a worker."""

from typing import Any

import pytest

from streams.contract.sectors import Registry, Sector
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from tests.stories.port import SECTOR, Port

PLACE = {"id": SECTOR, "name": "Port", "country": "US", "border": "south", "time_zone": "America/New_York"}


class House:
    """A port whose worker is started again; the state outlasts it."""

    def __init__(self) -> None:
        self.port = Port("2023-01-02", people=200)
        self._held: dict[bytes, bytes] = {}

    def restart(self, **changed: Any) -> None:
        """Go on with the state of the worker before, and a registry that is changed like this."""
        for pairs in self.port.flow.dirty().values():
            self._held.update((key, value) for key, value in pairs if value is not None)
        places = Registry(sector=(Sector(**PLACE | changed),))
        self.port.judge = Judge(places)
        self.port.flow = SectorPipeline(places, self.port.judge, wall_clock=True)
        self.port.flow.restore(0, self._held)
        self.port.notices.clear()


@pytest.fixture
def house() -> House:
    house = House()
    house.port.live(40, sources=["feed"])
    return house


def test_a_sector_that_moves_to_another_border_is_watched_there_without_a_gap(house: House) -> None:
    house.restart(border="north")
    before = len(house.port.verdicts)
    house.port.live(5, sources=["feed"])
    assert {verdict.border for verdict in house.port.verdicts[before:]} == {"north"}
    assert house.port.notices == []
