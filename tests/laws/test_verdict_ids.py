"""An id is made of what was asked and on which occasion, whatever was found."""

import datetime as dt

from hypothesis import assume, given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import Registry
from streams.contract.verdicts import Evidence, Question, Verdict
from streams.judging.judge import Judge
from tests.laws.test_models import TODAY, made

MOMENT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
FIGURES = st.floats(0, 1e6)
LOOKS = st.fixed_dictionaries(
    {
        "question": st.sampled_from(Question),
        "sector": st.sampled_from(("swanton", "del-rio")),
        "subject": st.sampled_from(("", "citizenship=HAITI")),
        "cadence": st.sampled_from((Cadence.DAY, Cadence.WEEK)),
        "period": st.sampled_from((MOMENT, MOMENT + dt.timedelta(days=7))),
        "as_of": st.sampled_from((MOMENT + dt.timedelta(days=8), MOMENT + dt.timedelta(days=9))),
        "closed": st.booleans(),
        "occasion": st.sampled_from(("", "revision 1", "revision 2", "peek 40")),
    }
)


def verdict(look: dict[str, object], found: float, breach: bool = True) -> Verdict:
    evidence = Evidence(observed=found, expected=found, lower=0, upper=found, p_value=0.5, alpha=0.01)
    return Verdict.of(**look, breach=breach, evidence=evidence)


@given(LOOKS, FIGURES, FIGURES, st.booleans())
def test_one_look_has_one_id_whatever_figures_it_finds(
    look: dict[str, object], here: float, there: float, breach: bool
) -> None:
    assert verdict(look, here).verdict_id == verdict(look, there, breach).verdict_id


@given(LOOKS, LOOKS, FIGURES)
def test_two_looks_have_two_ids_even_if_they_find_the_same(
    one: dict[str, object], other: dict[str, object], found: float
) -> None:
    assume(one != other)
    assert verdict(one, found).verdict_id != verdict(other, found).verdict_id


@given(st.floats(1e-6, 1e9), st.integers(0, 2**40))
def test_figures_have_six_digits_and_people_are_whole(expected: float, people: int) -> None:
    """So last digits, in which processors differ, are not published."""
    found = Evidence(observed=people, expected=expected, lower=0, upper=0, p_value=0.5, alpha=0.01)
    assert found.observed == people
    assert found.expected == (expected if expected.is_integer() else float(f"{expected:.6g}"))


def test_each_revision_of_a_period_has_an_id_of_its_own_and_a_replay_gives_the_same() -> None:
    def ids() -> list[str]:
        judge, batch = Judge(Registry(sector=())), made(Cadence.DAY)[:3]
        verdicts = judge.ask(Look.CLOSED, batch, cadence=Cadence.DAY, index=TODAY - 1)
        for counts in batch:
            counts.closed[Cadence.DAY] = TODAY - 1
        for _ in range(2):
            verdicts += judge.ask(Look.REVISED, batch, cadence=Cadence.DAY, index=TODAY - 1)
        return [one.verdict_id for one in verdicts if one.question is Question.SURGE]

    found = ids()
    assert len(found) == len(set(found)) == 9
    assert ids() == found
