"""Links: where somebody who reads of an alert goes next: the console, the dashboard, what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert
from streams.contract.questions import Scope


class Link(NamedTuple):
    """A link: its text and its address."""

    text: str
    url: str


@dataclass(frozen=True)
class Links:
    """Addresses as people reach them; one that is empty is not linked to."""

    console: str = ""
    grafana: str = ""

    def alert(self, alert: Alert) -> str:
        """Return the alert's address on the console; nothing where there is no console."""
        return f"{self.console}#alert-{alert.alert_id}" if self.console else ""

    def dashboard(self, alert: Alert) -> str:
        """Return the sector's dashboard, or for many sectors together the one over all."""
        if not self.grafana:
            return ""
        if alert.question.entry.scope is Scope.BORDER or len(alert.parts) > 1:
            return f"{self.grafana}/d/surgewatch-situation"
        return f"{self.grafana}/d/surgewatch-sector?var-sector={quote(alert.sector)}"

    def runbook(self, alert: Alert) -> str:
        """Return the page on what such an alert means, and what to check."""
        return f"{self.grafana}/d/runbook-{alert.question}" if self.grafana else ""

    def of(self, alert: Alert, language: Language = ENGLISH) -> Iterator[Link]:
        """Return all there are, in the order in which they help."""
        links = (
            Link(language.gettext("console"), self.alert(alert)),
            Link(language.gettext("dashboard"), self.dashboard(alert)),
            Link(language.gettext("what to do"), self.runbook(alert)),
        )
        yield from (link for link in links if link.url)


NOWHERE: Final = Links()
