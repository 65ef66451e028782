"""Which messages go out together: a storm, what was held back, and the sectors of one source.

One source may carry many sectors. When it stops, or sends again, each sector has a message of its own, within
seconds. They wait for each other, and are one message that names the source: a digest, or in sinks that show
a source as one alert the message of that alert.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from alerts.lifecycle.alert import Reason
from alerts.notices.batches import Limits
from alerts.notices.delivery_line import Line, Moment
from alerts.notices.messages import Message

URGENT: Final = frozenset({Reason.WORSE, Reason.UNANSWERED})
FEW: Final = 3  # messages that are sent one by one although the sink takes digests
GATHER_SECONDS: Final = 10.0  # for which the first message about a source waits for others
CLICK_SECONDS: Final = 1.0  # the same where somebody takes it: one click acknowledges every sector


def source_of(message: Message) -> str:
    """Return the source that a message is about; empty where it is about people."""
    return message.view.alert.latest.evidence.source


def gather_seconds(message: Message, limits: Limits) -> float:
    """Return for how long a message waits for others about the same source; 0: for none."""
    if message.reason in URGENT or source_of(message) == "":
        return 0.0
    if message.reason is Reason.ACKNOWLEDGED:
        return CLICK_SECONDS if limits.most > 1 else 0.0
    return GATHER_SECONDS if limits.most > 1 or limits.by_source else 0.0


def together(ready: Sequence[str], due: Mapping[str, Message], lines: Mapping[str, Line]) -> list[str]:
    """Return what may go with the first of the alerts that are ready: about its source, or else about people.

    With a source also go those that still wait for others.
    """
    source = source_of(due[ready[0]]) if ready else ""
    same = [one for one in ready if source_of(due[one]) == source]
    if not source:
        return same
    going = frozenset(same)
    waiting = (one for one in due if one not in going and source_of(due[one]) == source)
    return [*same, *(one for one in waiting if not lines[one].in_flight and not lines[one].tries)]


def is_digest(messages: Sequence[Message], lines: Mapping[str, Line], moment: Moment) -> bool:
    """Return whether these messages, which may be one and are all about one source or none, are to be one."""
    if len(messages) > FEW or (len(messages) > 1 and source_of(messages[0])):
        return True
    return sum(lines[one.alert_id].is_late(moment) for one in messages) > 1
