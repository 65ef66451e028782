"""Many notices in one message: their order and the line that sums them up."""

from collections import Counter
from collections.abc import Sequence

from alerts.lifecycle.alert import RANK, Notice, Reason


def gravest_first(notices: Sequence[Notice]) -> list[Notice]:
    """Return the notices in the order in which people need them: what is over comes last."""
    return sorted(notices, key=lambda one: (one.reason is Reason.RESOLVED, -RANK[one.alert.severity]))


def digest_title(notices: Sequence[Notice]) -> str:
    """Return one line: `3 alerts: 2 critical, 1 over`."""
    kinds = Counter("over" if one.reason is Reason.RESOLVED else str(one.alert.severity) for one in notices)
    counts = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    return f"{len(notices)} {'alert' if len(notices) == 1 else 'alerts'}: {counts}"
