"""Laws of what is held of a sector by what like sectors are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks import cold_start
from streams.baselines import design_matrix
from streams.baselines.peer_priors import PeerPrior, PeerPriors
from streams.baselines.priors import deviations, priors
from streams.contract.cadence import Cadence

TERMS = design_matrix.size(Cadence.MONTH)
USUAL = np.square(deviations(Cadence.MONTH))


def learnt(seed: int, sectors: int, between: float = 1.0, phi: float = 2.0) -> PeerPrior:
    random = np.random.default_rng(seed)
    coefficients = random.normal(0, 0.05, (sectors, TERMS))
    coefficients[:, 0] = 3 + between * random.normal(size=sectors)
    return PeerPrior.learn(
        Cadence.MONTH,
        coefficients=coefficients,
        errors=np.full((sectors, TERMS), 0.01),
        dispersion=np.full(sectors, phi),
        usual=USUAL,
    )


@given(st.integers(0, 10**6), st.integers(1, 30), st.floats(0, 2), st.floats(1, 50))
def test_what_is_learnt_is_finite_and_its_spreads_are_positive(
    seed: int, sectors: int, between: float, phi: float
) -> None:
    prior = learnt(seed, sectors, between, phi)
    assert np.isfinite(prior.centre).all()
    assert (np.array(prior.spread) > 0).all()
    assert prior.dispersion_at(prior.centre[0]) >= 1


@given(st.integers(0, 10**6), st.integers(2, 30))
def test_more_unlike_sectors_leave_a_level_less_certain(seed: int, sectors: int) -> None:
    assert learnt(seed, sectors, 0.1).spread[0] <= learnt(seed, sectors, 2.0).spread[0]


@given(st.floats(0, 1e4), st.integers(0, 400))
def test_a_level_lies_between_a_sectors_own_and_that_of_its_peers(people: float, periods: int) -> None:
    prior = learnt(1, 8)
    low, high = sorted((people, prior.people))
    assert low - 1e-9 <= np.exp(prior.level(people, periods)) <= high * (1 + 1e-9)


@given(st.floats(1, 1e4))
def test_a_sectors_own_counts_prevail_in_the_end(people: float) -> None:
    assert np.exp(learnt(1, 8).level(people, 10_000)) == pytest.approx(people, rel=0.01)


@given(st.integers(12, 500))
def test_who_has_a_year_of_history_is_not_held_to_be_like_others(months: int) -> None:
    alone, beside = (
        priors(Cadence.MONTH, 2, periods=np.array([months]), people=np.array([7.0]), peer_priors=peer_priors)
        for peer_priors in ((), (learnt(1, 8),))
    )
    assert all((one == other).all() for one, other in zip(alone, beside, strict=True))


@given(st.integers(0, 11), st.floats(0, 1e4))
def test_peers_loosen_no_prior_but_move_it(months: int, people: float) -> None:
    alone, beside = (
        priors(
            Cadence.MONTH, 2, periods=np.array([months]), people=np.array([people]), peer_priors=peer_priors
        )
        for peer_priors in ((), (learnt(1, 8),))
    )
    assert (beside.precision >= alone.precision).all()
    assert (beside.centre[0, :TERMS] == learnt(1, 8).centre).all()


def test_the_nearest_document_is_taken_and_none_where_none_fits() -> None:
    north, all_ = (learnt(1, 8).model_copy(update={"border": border}) for border in ("northern", "*"))
    assert PeerPriors(prior=(north, all_)).of("northern", Cadence.MONTH) == north
    assert PeerPriors(prior=(north, all_)).of("coastal", Cadence.MONTH) == all_
    assert PeerPriors(prior=(north,)).of("coastal", Cadence.MONTH) is None
    assert PeerPriors(prior=(north, all_)).of("northern", Cadence.DAY) is None


def test_a_border_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="twice: months of \\*"):
        PeerPriors(prior=(learnt(1, 8), learnt(2, 8)))


def test_a_document_of_other_terms_is_refused() -> None:
    with pytest.raises(ValidationError, match=f"a month has {TERMS} terms"):
        PeerPrior.model_validate(learnt(1, 8).model_dump() | {"centre": (1.0,)})


Lived = dict[bool, cold_start.Floats]


@pytest.fixture(scope="module")
def lived() -> tuple[Lived, Lived]:
    """P-values of new sectors' days, without and with peer priors: as they are, and of doubled days."""
    large = np.flatnonzero(cold_start.World(3).mean[cold_start.OLD :].mean(1) >= cold_start.LARGE)
    each = {
        peer_priors: cold_start.lived(cold_start.World(3), peer_priors=peer_priors)
        for peer_priors in (False, True)
    }
    return {at: plain for at, (plain, _) in each.items()}, {
        at: twice[large] for at, (_, twice) in each.items()
    }


@pytest.mark.parametrize("span", cold_start.SPANS[1:], ids=lambda span: f"days {span[0] + 1} to {span[1]}")
def test_a_new_sector_like_its_peers_is_calm_at_the_stated_rate(
    lived: tuple[Lived, Lived], span: tuple[int, int]
) -> None:
    plain, _ = lived
    assert np.mean(plain[True][:, slice(*span)] <= cold_start.ALPHA) <= 1.2 * cold_start.ALPHA


def test_peers_find_in_the_first_week_what_a_sector_alone_cannot(lived: tuple[Lived, Lived]) -> None:
    _, doubled = lived
    found = {peer_priors: np.nan_to_num(p, nan=1.0) <= cold_start.ALPHA for peer_priors, p in doubled.items()}
    assert not found[False][:, :7].any()
    assert found[True][:, 1:7].mean() > 0.3
    assert found[True][:, 7:].mean() > found[False][:, 7:].mean()
