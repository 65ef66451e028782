"""The console in French and Spanish in real headless Chromium: no English is left on the page."""

from typing import Any

import pytest

from alerts.languages.language import Code, catalogue, language
from tests import console_story as story
from tests.integration.chromium import Console, found, names, script, within

pytestmark = pytest.mark.browser


def english_left(code: Code, text: str) -> list[str]:
    """Return the English messages without values that a text has and that the language writes otherwise."""
    plain = [
        one for one in catalogue(code) if isinstance(one.id, str) and len(one.id) > 8 and "{" not in one.id
    ]
    translated = " ".join(str(one.string) for one in plain)
    return [one.id for one in plain if one.id in text and one.id not in translated]


@pytest.mark.parametrize(
    ("code", "first", "mark"),
    [
        ("fr", "Afflux à RCMP Quebec", "En cours d’apaisement : 2 jours calmes sur 7"),
        ("es", "Repunte en RCMP Quebec", "En remisión: 2 de 7 días en calma"),
    ],
)
def test_the_page_is_in_the_language_that_is_set(browser: Any, code: Code, first: str, mark: str) -> None:
    console = Console(board=story.board(language=language(code)), language=language(code))
    console.open()
    try:
        browser.get(console.url)
        within(40, lambda: found(browser, ".sector"))
        assert names(browser, "#alert-list")[0] == first
        assert mark in [element.text for element in found(browser, ".mark") if element.is_displayed()]
        sent = "#delivery-list, #dead-list"  # headlines there are as they were sent
        script(browser, f"document.querySelectorAll('{sent}').forEach((one) => one.replaceChildren())")
        shown = script(browser, "return document.body.innerText")
        assert english_left(code, shown) == []
        assert found(browser, "html")[0].get_attribute("lang") == code
        browser.get("about:blank")
    finally:
        console.close()
