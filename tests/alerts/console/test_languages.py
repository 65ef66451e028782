"""The console in the language that is set: page, scripts, rows and forms, all from the one catalogue."""

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from aiohttp import ClientSession

from alerts.console.board_rows import alert_row, control_row
from alerts.console.files import SCRIPTS, files
from alerts.console.requests import REQUESTS, WHO, forms
from alerts.console.roles import Principal
from alerts.languages.language import ENGLISH, Code, language, messages_of
from alerts.lifecycle.policies import Policy
from streams.contract.controls import Names
from streams.contract.verdicts import Contribution
from surgewatch.reference.catalogues import template
from tests import console_story as story
from tests.alerts.console.served import opened
from tests.alerts.languages.pseudo import PSEUDO, readable

NB = "\u00a0"
TAGS = re.compile(r"<[^>]*>|&\w+;")
NO_NAMES = Names(
    sectors=frozenset(),
    questions=frozenset(),
    sinks=frozenset(),
    alerts=frozenset(),
    keys=frozenset(),
)


def test_the_page_has_no_words_that_the_catalogue_does_not_have() -> None:
    page = files(PSEUDO)["index.html"].body.decode()
    body = page[page.index("</svg>") :]
    shown = " ".join([TAGS.sub(" ", body), *re.findall(r'(?:aria-label|placeholder)="([^"]*)"', body)])
    assert readable(shown, {"surgewatch"}) == set()


def test_the_page_is_in_the_language_that_is_set() -> None:
    page = files(language("fr"))["index.html"].body.decode()
    assert '<html lang="fr">' in page
    assert "Aller aux alertes" in page
    assert "{{" not in page
    assert '<html lang="en">' in files(ENGLISH)["index.html"].body.decode()


def test_every_text_of_the_forms_is_in_the_catalogue() -> None:
    described = forms(NO_NAMES, Principal(), PSEUDO)
    texts = [
        text
        for form in described["forms"]
        for text in (form["title"], form["meaning"], *(field["label"] for field in form["fields"]))
    ]
    assert readable(" ".join(texts), set()) == set()
    assert len(texts) > len(REQUESTS) * (2 + len(WHO))


def test_rows_are_in_the_language_that_is_set() -> None:
    alert = next(one for one in story.alerts() if one.sector == "rcmp-quebec")
    row = alert_row(alert, Policy(), language("fr"))
    assert row["name"] == "Afflux à RCMP Quebec"
    assert row["title"] == "Afflux"
    assert f"attendu{NB}: " in row["figures"]


@pytest.mark.parametrize(
    ("code", "names"),
    [("en", ["families", "Haiti"]), ("fr", ["familles", "Haïti"]), ("es", ["familias", "Haití"])],
)
def test_groups_of_people_are_named_in_the_language_that_is_set(code: Code, names: list[str]) -> None:
    slices = [
        Contribution(name=name, observed=40, expected=10)
        for name in ("demographic=family_unit", "citizenship=HAITI")
    ]
    alert = next(one for one in story.alerts() if one.sector == "rcmp-quebec")
    evidence = alert.latest.evidence.model_copy(update={"slices": tuple(slices)})
    latest = alert.latest.model_copy(update={"evidence": evidence})
    about = alert.model_copy(update={"latest": latest, "subject": "demographic=family_unit"})
    row = alert_row(about, Policy(), language(code))
    assert [one["name"] for one in row["latest"]["slices"]] == names
    assert row["name"].endswith(f", {names[0]}")


def test_what_a_control_changes_is_in_the_catalogue() -> None:
    for control in story.controls():
        data = f"{control.model_dump_json()} UTC".lower()
        words = readable(str(control_row(control, PSEUDO)["effect"]), set())
        assert [word for word in words if word.lower() not in data] == [], control


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_message_of_a_script_is_where_extraction_does_not_see_it(name: str) -> None:
    text = resources.files("alerts.console").joinpath(name).read_text(encoding="utf-8")
    found = set(re.findall(r'gettext\(\s*"((?:[^"\\]|\\.)+)"', text))
    known = {
        one if isinstance(one, str) else one[0]
        for message in template()
        for one in (message.id,)
        if any(path.endswith(".js") for path, _ in message.locations)
    }
    assert found <= known


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("fr", ["1\u202f234", "24 févr. 2023, 08:00", "il y a 2 jours"]),
        ("es", ["1.234", "24 feb 2023, 08:00", "hace 2 días"]),
    ],
)
def test_the_scripts_write_figures_and_messages_as_the_language_does(
    tmp_path: Path, code: Code, texts: list[str]
) -> None:
    for name in ("language.js", "words.js", "messages.js"):
        (tmp_path / name).write_bytes(files(language(code))[name].body)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "shown.js").write_text(
        'import { age, count, moment } from "./words.js";\n'
        'const old = age("2023-01-01", new Date("2023-01-03"), 36);\n'
        'console.log(JSON.stringify([count(1234), moment("2023-02-24T08:00:00Z"), old]));\n'
    )
    done = subprocess.run(["node", tmp_path / "shown.js"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == texts


def test_only_the_messages_of_scripts_go_to_the_page() -> None:
    assert messages_of("en", ".js") == {}
    sent = messages_of("fr", ".js")
    assert sent["live"] == "en direct"
    assert "Take it" not in sent


async def test_the_console_serves_its_messages() -> None:
    async with opened() as served, ClientSession() as http:
        answer = await http.get(f"{served.url}/console/messages.js")
        assert 'export const language = "en";' in await answer.text()
