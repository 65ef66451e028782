"""What is refused is explained in the language of the console."""

import json
import re

import pytest
from aiohttp import ClientSession
from hypothesis import given
from pydantic import ValidationError

from alerts.console.control_requests import BY_KIND
from alerts.console.faults import KINDS, translated
from alerts.console.requests import control_of, submitted
from alerts.languages.language import language
from streams.contract.sentences import FaultsError
from tests.alerts.console.served import TOKEN, opened
from tests.alerts.console.test_requests import BODIES, FIELDS, NAMES, NOW, REFUSED, WHO
from tests.alerts.languages.pseudo import PSEUDO, readable

ASKED_FOR = [body for body, _ in REFUSED]
# Names of fields, of kinds and of what there is stay as they are, and so does what was served.
DATA = {word.lower() for word in re.findall(r"[A-Za-z]+", f"{FIELDS} {[*BY_KIND]} {NAMES} {ASKED_FOR}")}


def faults(body: bytes) -> FaultsError:
    with pytest.raises(FaultsError) as raised:
        control_of(submitted(body), NOW, NAMES, "")
    return raised.value


@pytest.mark.parametrize("body", ASKED_FOR, ids=str)
def test_no_fault_has_words_that_the_catalogue_does_not_have(body: dict[str, object]) -> None:
    error = faults(json.dumps({**body, **WHO}).encode())
    assert [readable(translated(one, PSEUDO), DATA) for one in error.sentences] == [set()]


@given(BODIES)
def test_every_kind_of_fault_that_a_model_finds_has_its_sentence(body: bytes) -> None:
    try:
        control_of(submitted(body), NOW, NAMES, "")
    except FaultsError as error:
        found = error.__cause__.errors() if isinstance(error.__cause__, ValidationError) else []
        assert {one["type"] for one in found} <= {*KINDS, "value_error"}


@pytest.mark.parametrize(
    ("method", "path", "token", "text"),
    [
        ("GET", "/api/nothing", TOKEN, "introuvable"),
        ("DELETE", "/api/board", TOKEN, "méthode non permise"),
        ("GET", "/api/alerts/nope", TOKEN, "aucune alerte 'nope'"),
        ("POST", "/api/controls", "wrong", "jeton incorrect"),
        ("POST", "/api/controls", TOKEN, "le corps de la requête n’est pas un objet JSON"),
    ],
)
async def test_an_error_of_the_api_is_in_the_language_of_the_console(
    method: str, path: str, token: str, text: str
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with opened(language=language("fr")) as served, ClientSession() as http:
        answer = await http.request(method, served.url + path, headers=headers)
        assert (await answer.json())["error"] == text


def test_figures_in_a_fault_are_as_the_language_writes_them() -> None:
    error = faults(json.dumps({"kind": "silence", "sector": "*", "hours": 1e9, **WHO}).encode())
    shown = [translated(one, language("fr")) for one in error.sentences]
    assert shown == ["hours\u00a0: doit être au plus 2\u202f160"]
