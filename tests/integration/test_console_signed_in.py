"""The console in real headless Chromium, for people who are signed in: no token, no name to type."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from alerts.console.access_document import AccessFile
from alerts.console.identity import Identity
from alerts.console.sessions import SESSION, Sessions
from alerts.console.sign_in import SignIn
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


# Nothing answers at this provider: it is reached only by who signs in.
PROVIDER = """
[oidc]
issuer = "http://127.0.0.1:9/realm"
client_id = "surgewatch"
[[grant]]
people = ["ana@example.org"]
role = "operate"
"""


class Session:
    """A browser in which somebody has signed in at a provider."""

    def __init__(self, browser: Any, access: Path) -> None:
        self.browser, self.console, self.now = browser, Console(), time.time()
        self._sessions = Sessions(secure=False, clock=lambda: self.now)
        self._access = AccessFile(access).current
        self.serve()

    def serve(self) -> None:
        identity = Identity(access=self._access, sessions=self._sessions)
        self.console.open(identity, SignIn(self._access, self._sessions, "http://console.test"))

    def begin(self, person: str) -> None:
        """Sign somebody in for an hour, and open the page."""
        answer = web.Response()
        self._sessions.write(answer, SESSION, {"name": person, "groups": []}, 3600)
        ((name, morsel),) = answer.cookies.items()
        self.browser.get(self.console.url + "console/icon.svg")
        self.browser.add_cookie({"name": name, "value": morsel.value, "path": "/"})
        self.browser.get(self.console.url)

    def says(self, text: str) -> bool:
        return text in found(self.browser, "#link")[0].text

    def offers(self, *labels: str) -> bool:
        shown = [one.text for one in found(self.browser, "header button") if one.is_displayed()]
        return shown == list(labels)


@pytest.fixture
def session(browser: Any, tmp_path: Path) -> Iterator[Session]:
    path = tmp_path / "access.toml"
    path.write_text(PROVIDER)
    session = Session(browser, path)
    yield session
    browser.get("about:blank")
    browser.delete_all_cookies()
    session.console.close()


def test_who_has_no_role_is_told_so_and_can_leave(session: Session) -> None:
    session.begin("ben@example.org")
    within(10, lambda: session.says("ben@example.org may not read"))
    assert not session.says("connection lost")
    assert session.offers("Sign out")
    assert found(session.browser, ".sector") == []


def test_who_is_no_longer_signed_in_is_told_so_and_not_that_the_connection_is_lost(session: Session) -> None:
    session.begin("ana@example.org")
    within(40, lambda: found(session.browser, ".sector"))
    assert session.offers("ana@example.org (operate)", "Sign out")
    session.now += 3601
    session.console.close()  # an open stream is checked when it begins anew
    session.serve()
    within(20, lambda: session.says("sign in, or send a token: what you see is old"))
    assert session.offers("Sign in…")


def test_who_signs_out_leaves_nothing_on_the_screen(session: Session) -> None:
    session.begin("ana@example.org")
    within(40, lambda: found(session.browser, ".sector"))
    found(session.browser, "#sign-out")[0].click()
    within(10, lambda: "prompt=login" in session.browser.current_url)
    assert found(session.browser, ".sector") == []
    session.browser.get(session.console.url)
    assert found(session.browser, ".sector") == []
