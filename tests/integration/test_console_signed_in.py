"""The console in real headless Chromium, behind a proxy that signs people in: no token, no name to type."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.console.access_document import AccessFile
from alerts.console.identity import Identity
from alerts.notices.controls import Silence
from tests.integration.chromium import Console, fill, found, within

pytestmark = pytest.mark.browser

ACCESS = """
[proxy]
addresses = ["127.0.0.1"]
name_header = "X-User"
[[grant]]
people = ["ana@example.org"]
role = "operate"
[[grant]]
people = ["ben@example.org"]
role = "read"
"""


@pytest.fixture
def console_of(browser: Any, tmp_path: Path) -> Iterator[Callable[[str], Console]]:
    """A console that a browser opens whose proxy names this person."""
    path = tmp_path / "access.toml"
    path.write_text(ACCESS)
    console = Console()

    def opened(person: str) -> Console:
        console.open(Identity(access=AccessFile(path).current))
        headers = {"X-User": person}
        browser.execute_cdp_cmd("Network.enable", {})
        browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": headers})
        browser.get(console.url)
        within(40, lambda: found(browser, ".sector"))
        return console

    yield opened
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})
    console.close()


def test_who_is_signed_in_writes_without_a_token_and_under_their_name(browser: Any, console_of: Any) -> None:
    console = console_of("ana@example.org")
    assert found(browser, "#lock")[0].text == "ana@example.org (operate)"
    found(browser, '[aria-label="Silence Surge at Miami"]')[0].click()
    assert found(browser, "[name=by]") == []
    fill(browser, hours="12", reason="exercise")
    within(5, lambda: console.controls)
    (silence,) = console.controls
    assert isinstance(silence, Silence)
    assert silence.by == "ana@example.org"


def test_who_may_only_read_is_offered_nothing_to_write(browser: Any, console_of: Any) -> None:
    console_of("ben@example.org")
    assert found(browser, "#lock")[0].text == "ben@example.org (read)"
    assert found(browser, '[aria-label="Silence Surge at Miami"]') == []
