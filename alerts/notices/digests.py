"""Many notices in one message: their order and the lines that sum them up."""

from collections import Counter
from collections.abc import Sequence

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import RANK, Notice, Reason, Severity
from alerts.notices.titles import source_title
from alerts.notices.wording import LEADS, SEVERITIES, lead

OVER = "over"


def gravest_first(notices: Sequence[Notice]) -> list[Notice]:
    """Return the notices in the order in which people need them: what is over comes last."""
    return sorted(notices, key=lambda one: (one.reason is Reason.RESOLVED, -RANK[one.alert.severity]))


def digest_title(notices: Sequence[Notice], language: Language = ENGLISH) -> str:
    """Return one line: `3 alerts: 2 critical, 1 over`; of one source, that it stopped or sends again."""
    sources = {one.alert.latest.evidence.source for one in notices}
    is_over = {one.reason is Reason.RESOLVED for one in notices}
    if len(sources) == len(is_over) == 1 and (source := sources.pop()):
        title = source_title(source, len(notices), language, sends=is_over.pop())
        taken = LEADS[Reason.ACKNOWLEDGED]
        is_acknowledged = all(lead(one.alert, one.reason) == taken for one in notices)
        return language.gettext(taken, title=title) if is_acknowledged else title
    kinds = Counter(OVER if one.reason is Reason.RESOLVED else one.alert.severity for one in notices)
    counts = ", ".join(_counted(number, kind, language) for kind, number in kinds.items())
    return language.ngettext("{n} alert: {counts}", "{n} alerts: {counts}", len(notices), counts=counts)


def digest_line(notice: Notice, language: Language = ENGLISH) -> str:
    """Return a notice in one line, with its severity in words; what is over has none any more."""
    if notice.reason is Reason.RESOLVED:
        return notice.headline
    severity = language.gettext(SEVERITIES[notice.alert.severity])
    return language.gettext("{severity} · {headline}", severity=severity, headline=notice.headline)


def more_line(number: int, language: Language = ENGLISH) -> str:
    """Return the line for notices that a digest has no room for."""
    return language.ngettext("and {n} more", "and {n} more", number)


def _counted(number: int, kind: str, language: Language) -> str:
    match kind:
        case Severity.CRITICAL:
            return language.ngettext("{n} critical", "{n} critical", number)
        case Severity.WARNING:
            return language.ngettext("{n} warning", "{n} warning", number)
        case Severity.INFO:
            return language.ngettext("{n} info", "{n} info", number)
    return language.ngettext("{n} over", "{n} over", number)
