"""Figures, places and sparklines as people read them."""

from collections.abc import Sequence
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"


def place(sector: str) -> str:
    """A sector's id as people write it: `rcmp-quebec` is `RCMP Quebec`."""
    known = {"rcmp": "RCMP", "cbsa": "CBSA"}
    return " ".join(known.get(part, part.capitalize()) for part in sector.split("-"))


def sureness(p_value: float) -> str:
    """How sure, in words: by chance alone, how often."""
    if p_value < 1e-9:
        return "chance alone cannot explain it"
    return f"by chance once in {_rounded(1 / max(p_value, 1e-12))}"


def sparkline(values: Sequence[float], points: int = 28) -> str:
    """The last values as a line of bars.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    shown = list(values)[-points:]
    top = max(shown, default=0) or 1
    return "".join(BARS[min(int(value / top * (len(BARS) - 1) + 0.5), len(BARS) - 1)] for value in shown)


def _rounded(number: float) -> str:
    return f"{float(f'{number:.1g}'):,.0f}"
