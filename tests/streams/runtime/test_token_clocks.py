"""A token is fetched anew in time, whatever becomes of the clock on the wall."""

from dataclasses import dataclass

import pytest

from streams.runtime.kafka_tokens import Token, TokenError, Tokens

LIFE = 3_600.0  # seconds


@dataclass
class Machine:
    """A machine with a clock on the wall, a steady one, and a provider that can be away."""

    wall: float = 1_700_000_000.0
    steady: float = 50.0
    fetched: int = 0
    away: bool = False

    def fetch(self) -> Token:
        if self.away:
            raise ConnectionError
        self.fetched += 1
        return Token(f"token {self.fetched}", self.wall + LIFE)

    def passes(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


@pytest.mark.parametrize(
    ("wall", "steady"),
    [(-6 * 3_600.0 + LIFE, LIFE), (LIFE, 0.0), (0.0, LIFE)],
    ids=["put back by hours", "asleep", "standing"],
)
def test_a_token_that_is_over_by_one_of_the_clocks_is_fetched_anew(wall: float, steady: float) -> None:
    machine = Machine()
    tokens = Tokens(machine.fetch, lambda: machine.wall, lambda: machine.steady)
    assert tokens.current().value == "token 1"
    machine.wall, machine.steady = machine.wall + wall, machine.steady + steady
    assert tokens.current().value == "token 2"
    machine.passes(LIFE / 2)
    assert tokens.current().value == "token 2"


def test_a_token_lasts_over_a_provider_that_is_away_to_its_end_and_no_longer() -> None:
    machine = Machine()
    tokens = Tokens(machine.fetch, lambda: machine.wall, lambda: machine.steady)
    tokens.current()
    machine.away = True
    machine.wall -= 6 * 3_600
    machine.passes(LIFE * 0.9)
    assert tokens.current().value == "token 1"
    machine.passes(LIFE * 0.1)
    with pytest.raises(TokenError):
        tokens.current()
