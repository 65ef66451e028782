"""The judge of a history: asked for scores and for what is normal, not for verdicts."""

from collections import defaultdict
from collections.abc import Sequence

from streams.baselines.peer_priors import EVERYWHERE, PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.questions import Look, Question
from streams.counting.sector_counts import Counts
from streams.detectors import SectorView, surge
from streams.judging import questions
from streams.judging.judge import Judge


class HistoryJudge(Judge):
    """Scores series, and learns from them what is normal for others."""

    def learn_peer_priors(self, sectors: Sequence[Counts], cadence: Cadence) -> PeerPriors:
        """Learn what is normal from the series with enough history, by border and for all."""
        borders: defaultdict[str, list[Counts]] = defaultdict(list, {EVERYWHERE: list(sectors)})
        for counts in sectors:
            if border := self.limits.border(counts.sector):
                borders[border].append(counts)
        found = (self.models[cadence].learn_peer_prior(group, border) for border, group in borders.items())
        return PeerPriors(prior=tuple(prior for prior in found if prior is not None))

    def compare(self, sectors: Sequence[Counts], cadence: Cadence, index: int) -> None:
        """Learn peer priors for the series that are young at period `index`, where there are any."""
        if not self.models[cadence].are_grown(sectors, index):
            self.limits.peer_priors = self.learn_peer_priors(sectors, cadence)

    def score(
        self, sectors: Sequence[Counts], cadence: Cadence, index: int
    ) -> tuple[SectorView, surge.Surge] | None:
        """Return what `Look.CLOSED` bases the verdict on surges on, for many series. Learns as it does."""
        self.models[cadence].refresh(sectors, index)
        view = self._views.of(sectors, Look.CLOSED, cadence, index)
        if view is None:
            return None
        questions.follow(Question.REGIME, view, self.limits)
        return view, surge.of(view)
