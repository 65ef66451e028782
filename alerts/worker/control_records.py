"""Records of `controls` as the alerts worker applies them: to routes and silences, and to the console."""

from collections.abc import Callable, Collection
from typing import Any

import structlog
from pydantic import ValidationError

from alerts.console.board import Board
from alerts.notices.controls import CONTROL, sinks_of
from alerts.notices.controls_in_force import ControlsInForce
from streams.contract.controls import Withdrawn, dated
from streams.contract.reading import Unusable, appended_at

log = structlog.get_logger()


class ControlRecords:
    """Applies records, and logs and counts those that cannot be used."""

    def __init__(
        self,
        controls: ControlsInForce,
        board: Board,
        sinks: Collection[str],
        *,
        on_unusable: Callable[[str, Unusable], None],
    ) -> None:
        self._controls, self._board, self._sinks = controls, board, frozenset(sinks)
        self._on_unusable = on_unusable

    def apply(self, record: Any) -> None:
        """Apply one record. Kinds of the streams workers are shown on the console."""
        key = (record.key or b"").decode(errors="replace")
        if not record.value:
            self._withdraw(key, record)
            return
        try:
            control = dated(CONTROL.validate_json(record.value), appended_at(record) / 1000)
        except ValidationError as error:
            log.warning("control not understood", key=key, faults=error.error_count())
            self._on_unusable("controls", Unusable.UNREADABLE)
            return
        log.info("control", key=key, by=control.by, reason=control.reason, at=control.at.isoformat())
        if isinstance(control, Withdrawn):
            self._withdraw(control.key, record)
            return
        self._controls.apply(control)
        self._board.control(control)
        if unknown := sorted(sinks_of(control) - self._sinks):
            log.warning("control names unknown sinks", key=key, unknown_sinks=unknown)

    def _withdraw(self, key: str, record: Any) -> None:
        """End a control at the time of its record, which is the broker's: no other clock can delay it."""
        self._controls.withdraw(key, appended_at(record) / 1000)
        self._board.withdrawn(key)
