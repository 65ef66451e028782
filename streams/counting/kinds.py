"""Who the counted people were, as small integers: demographic, crossing type and citizenship.

Citizenships are free text, so their number is bounded. When LIMIT kinds are known, those that no remembered
event refers to are forgotten and their integers used again. If every kind is still referred to, a new
citizenship counts as OTHER until events leave the deduplication index.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

Kind = tuple[str, str, str | None]  # demographic, crossing type, citizenship

OTHER: Final = "OTHER"
BITS: Final = 13  # of a kind's integer
LIMIT: Final = 2_048  # kinds of one sector: at 64 characters of 4 bytes their state is below 700 kB
SPARE: Final = 16  # beyond the limit, for the kinds whose citizenship is OTHER


@lru_cache(maxsize=1 << BITS)
def _shared(kind: Kind) -> tuple[Kind, tuple[str, ...]]:
    """Return a kind and the slices it counts into; all sectors hold the same objects."""
    demographic, crossing_type, citizenship = kind
    names = [f"demographic={demographic}", f"crossing_type={crossing_type}"]
    if citizenship is not None:
        names.append(f"citizenship={citizenship}")
    return kind, tuple(names)


class Kinds:
    """The kinds of people in one sector. `codes` maps a kind to its integer, `slices` the way on."""

    __slots__ = ("_crowded", "_free", "changed", "codes", "slices")

    def __init__(self) -> None:
        self.codes: dict[Kind, int] = {}
        self.slices: list[tuple[str, ...]] = []  # by integer: names of the slices it counts into
        self.changed = False  # since it was last written
        self._free: list[int] = []  # integers of forgotten kinds
        self._crowded = False  # no kind can be forgotten until events leave the index

    def code(self, kind: Kind, in_use: Callable[[], Iterable[int]]) -> int:
        """Return the integer of a kind; `in_use` lists the integers that remembered events refer to."""
        code = self.codes.get(kind)
        if code is not None:
            return code
        if len(self.codes) < LIMIT:
            return self._add(kind)
        if not self._free and not self._crowded:
            self._forget(set(in_use()))
        if len(self.codes) >= LIMIT and not self._free:
            kind = kind[0], kind[1], OTHER
            if kind in self.codes:
                return self.codes[kind]
        return self._add(kind)

    def released(self) -> None:
        """Note that events have left the index, so kinds may be forgotten again."""
        self._crowded = False

    def encode(self) -> list[Kind | None]:
        """Return the kinds by integer; None where it is free."""
        held: list[Kind | None] = [None] * len(self.slices)
        for kind, code in self.codes.items():
            held[code] = kind
        return held

    def restore(self, held: Iterable[tuple[str, str, str | None] | None]) -> None:
        """Take back what `encode` returned."""
        for code, kind in enumerate(held):
            if kind is None:
                self.slices.append(())
                self._free.append(code)
            else:
                self._add(kind, code)
        self.changed = False

    def _add(self, kind: Kind, code: int | None = None) -> int:
        kind, names = _shared(kind)
        if code is None and self._free:
            code = self._free.pop()
            self.slices[code] = names
        else:
            code = len(self.slices)
            self.slices.append(names)
        self.codes[kind] = code
        self.changed = True
        return code

    def _forget(self, in_use: set[int]) -> None:
        unused = [(kind, code) for kind, code in self.codes.items() if code not in in_use]
        self._crowded = not unused
        for kind, code in unused:
            del self.codes[kind]
            self.slices[code] = ()
            self._free.append(code)
