"""Records of `controls` as the streams worker applies them."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from streams.contract.controls import Names, StreamControl, Withdrawn, dated
from streams.contract.reading import Unusable, appended_at
from streams.judging.judge import Judge

log = structlog.get_logger()

KINDS: Final = ("policy", "capacity", "sensitivity", "confirm")
CONTROL: TypeAdapter[StreamControl] = TypeAdapter(StreamControl)


def apply_control(
    judge: Judge, names: Names, record: Any, *, on_unusable: Callable[[str, Unusable], None]
) -> None:
    """Apply one record of `controls`: skip other workers' kinds; log, count and skip what is not valid."""
    key = (record.key or b"").decode(errors="replace")
    if key.partition("/")[0] not in KINDS:
        return
    if not record.value:
        judge.withdraw(key)
        return
    try:
        control = dated(CONTROL.validate_json(record.value), appended_at(record) / 1000)
    except ValidationError as error:
        log.warning("control refused: not valid", key=key, faults=error.error_count())
        on_unusable("controls", Unusable.UNREADABLE)
        return
    if unknown := control.unknown(names):
        log.warning("control refused", key=key, faults=[str(one) for one in unknown])
        on_unusable("controls", Unusable.UNREADABLE)
        return
    if isinstance(control, Withdrawn):
        judge.withdraw(key)
    else:
        judge.apply(control)
