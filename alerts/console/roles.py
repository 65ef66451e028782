"""Who may do what: roles, the borders they are limited to, and what a control needs. Pure.

read ⊂ operate (acknowledge, silence, send again) ⊂ administer (what everybody's alerts depend on)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from alerts.notices.controls import Acknowledge, Silence
from streams.contract.controls import Capacity, Control, PolicyDate, Sensitivity, Withdrawn


class Role(StrEnum):
    """What somebody may do; each role may do what the ones before it may."""

    READ = "read"
    OPERATE = "operate"
    ADMINISTER = "administer"


RANK: Final = {Role.READ: 0, Role.OPERATE: 1, Role.ADMINISTER: 2}
OPERATED: Final = {"acknowledge", "ack", "silence"}  # kinds of requests, and of controls in their keys


class Grant(BaseModel):
    """A role, in all borders or in some. Whoever may read reads all borders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    borders: Annotated[tuple[str, ...], Field(description="empty: all")] = ()

    def gives(self, role: Role) -> bool:
        """Return whether it gives this role, somewhere."""
        return RANK[self.role] >= RANK[role]


@dataclass(frozen=True)
class Principal:
    """Who sends a request. `name` is empty where it is not known.

    `ambient`: known by what a browser sends by itself, so other sites could make it send.
    """

    name: str = ""
    grants: tuple[Grant, ...] = ()
    ambient: bool = False

    def may(self, role: Role) -> bool:
        """Return whether a role is given in any border."""
        return any(grant.gives(role) for grant in self.grants)

    def may_in(self, role: Role, borders: frozenset[str] | None) -> bool:
        """Return whether a role is given in each of these borders; None: in all that there are."""
        enough = [grant for grant in self.grants if grant.gives(role)]
        if any(not grant.borders for grant in enough):
            return True
        return borders is not None and borders <= {border for grant in enough for border in grant.borders}

    @property
    def role(self) -> Role | None:
        """The highest role that is given; None where there is none."""
        return max((grant.role for grant in self.grants), key=RANK.__getitem__, default=None)


def needed(kind: str, key: object = "") -> Role:
    """Return the role that a kind of request needs; `key` is that of a control to be withdrawn."""
    kind = str(key).partition("/")[0] if kind == "withdraw" else kind
    return Role.OPERATE if kind in OPERATED else Role.ADMINISTER


@dataclass(frozen=True)
class Places:
    """The border of each sector, and the sectors of each control in force and of each alert."""

    border_of: Mapping[str, str]
    control_sectors: Mapping[str, tuple[str, ...]]
    alert_sectors: Mapping[str, str]

    def borders(self, control: Control) -> frozenset[str] | None:
        """Return the borders that a control touches; None: all, or no one knows.

        A glob touches all borders: it may match a sector that does not exist yet.
        """
        sectors = self._sectors(control)
        if not sectors or any(sector not in self.border_of for sector in sectors):
            return None
        return frozenset(self.border_of[sector] for sector in sectors)

    def _sectors(self, control: Control) -> tuple[str, ...]:
        match control:
            case Withdrawn(withdraws=key) if key.startswith("ack/"):
                return self._of_alert(key.removeprefix("ack/"))
            case Withdrawn(withdraws=key):
                return self.control_sectors.get(key, ())
            case Acknowledge(alert_id=alert):
                return self._of_alert(alert)
        return sectors_of(control)

    def _of_alert(self, alert_id: str) -> tuple[str, ...]:
        sector = self.alert_sectors.get(alert_id)
        return (sector,) if sector is not None else ()


def sectors_of(control: Control) -> tuple[str, ...]:
    """Return the sectors (ids or globs) that a control names."""
    match control:
        case Silence() | Capacity() | Sensitivity():
            return (control.sector,)
        case PolicyDate():
            return control.sectors
    return ()
