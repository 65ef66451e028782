"""OpenID Connect against a provider that signs real tokens: who signed in may what their role allows."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar
from joserfc.jwk import OctKey
from pydantic import SecretStr
from structlog.testing import capture_logs
from yarl import URL as URI

from alerts.console.access_document import AccessFile
from alerts.console.identity import Identity
from alerts.console.sessions import Sessions
from alerts.console.sign_in import SignIn
from streams.runtime.refusals import SetupError
from tests.alerts.console.identity_provider import CLIENT, SECRET, IdentityProvider, fresh_key, providing
from tests.alerts.console.served import ServedConsole, opened
from tests.alerts.worker.connect_proxy import ConnectProxy, proxying

ANA = {"email": "ana@example.org", "email_verified": True, "groups": ["watch", "others"]}
URL = "http://console.test"  # the console, as the provider knows it
SILENCE = {"kind": "silence", "sector": "swanton", "hours": 1, "reason": "drill"}


class Desk:
    """A console with a provider, and a browser's cookies."""

    def __init__(self, served: ServedConsole, provider: IdentityProvider, http: ClientSession) -> None:
        self.served, self.provider, self.http = served, provider, http
        self.now = time.time()

    async def get(self, path: str, **options: Any) -> tuple[int, str, dict[str, str]]:
        path = path.removeprefix(URL)
        url = path if path.startswith("http") else self.served.url + path
        async with self.http.get(url, allow_redirects=False, **options) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def leave(self) -> str:
        """Begin to sign in, and let the provider do its part; return where it leads back to."""
        _, _, headers = await self.get("/auth/login")
        _, _, headers = await self.get(headers["Location"])
        return headers["Location"]

    async def sign_in(self) -> tuple[int, str]:
        status, text, _ = await self.get(await self.leave())
        return status, text

    async def silence(self, **headers: str) -> int:
        async with self.http.post(f"{self.served.url}/api/controls", json=SILENCE, headers=headers) as answer:
            return answer.status


@asynccontextmanager
async def desk_at(path: Path, provider: IdentityProvider, *, anonymous: str = "") -> AsyncIterator[Desk]:
    async with providing(provider), ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        path.write_text(
            f'{anonymous}\n[oidc]\nissuer = "{provider.url}"\nclient_id = "{CLIENT}"\n'
            'client_secret = "env:OIDC"\n[[grant]]\ngroups = ["watch"]\nrole = "operate"\n'
        )
        access = AccessFile(path).current
        desk = Desk(ServedConsole(), provider, http)
        sessions = Sessions(SecretStr("key of all workers"), secure=False, clock=lambda: desk.now)

        provider.redirect_uri = f"{URL}/auth/callback"
        sign_in = SignIn(access, sessions, URL, {"OIDC": f"{SECRET}\n"})  # as it comes out of a file
        async with opened(
            identity=Identity(access=access, sessions=sessions), sign_in=sign_in
        ) as desk.served:
            yield desk


@pytest.fixture
def desk_of(tmp_path: Path) -> Callable[..., Any]:
    return lambda provider, **more: desk_at(tmp_path / "access.toml", provider, **more)


async def test_who_signs_in_writes_in_their_name_as_far_as_their_group_may(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        assert (await desk.get("/api/board"))[0] == 401
        status, _, headers = await desk.get("/")
        assert (status, headers["Location"]) == (302, "/auth/login")
        assert (await desk.sign_in())[0] == 302
        assert (await desk.get("/"))[0] == 200
        me = json.loads((await desk.get("/api/forms"))[1])["me"]
        assert me == {"name": "ana@example.org", "role": "operate", "sign_in": "/auth/login"}
        assert await desk.silence() == 202
        assert await desk.silence(**{"Sec-Fetch-Site": "cross-site"}) == 403
        async with desk.http.post(f"{desk.served.url}/auth/logout") as answer:
            assert answer.status == 204
        assert await desk.silence() == 401
    assert [control.by for control in desk.served.controls] == ["ana@example.org"]


async def test_the_session_cookie_is_for_the_server_alone_and_ends(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        back = (await desk.leave()).replace(URL, desk.served.url)
        async with desk.http.get(back, allow_redirects=False) as answer:
            cookie = answer.cookies["surgewatch-session"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert await desk.silence() == 202
        desk.now += 8 * 3600 + 1
        assert await desk.silence() == 401


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"iss": "https://other.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"azp": "another-client"}, "azp"),
        ({"nonce": "replayed"}, "nonce"),
        ({"exp": 1}, "expired"),
        ({"email": ""}, "has no email"),
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": "false"}, "has not verified"),  # as Amazon Cognito says it
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(desk_of, overrides, reason) -> None:
    async with desk_of(IdentityProvider(ANA, overrides=overrides)) as desk:
        status, text = await desk.sign_in()
        assert status == 401
        assert reason in text
        assert await desk.silence() == 401


async def test_a_token_that_the_provider_did_not_sign_is_refused(desk_of) -> None:
    provider = IdentityProvider(ANA)
    public = OctKey.import_key(str(provider.key.as_dict(private=False)["n"]))
    forged = [
        {"signer": fresh_key()},
        {"signer": public, "header": {"alg": "HS256"}},
        {"header": {"alg": "none"}},
    ]
    async with desk_of(provider) as desk:
        for changes in forged:
            provider.signer, provider.header = changes.get("signer"), changes.get("header", {})
            assert (await desk.sign_in())[0] == 401, changes


async def test_a_new_key_of_the_provider_is_fetched(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        assert (await desk.sign_in())[0] == 302
        assert (await desk.sign_in())[0] == 302
        assert desk.provider.key_requests == 1
        desk.provider.key = fresh_key()
        assert (await desk.sign_in())[0] == 302
        assert desk.provider.key_requests == 2


async def test_who_signs_in_as_somebody_else_is_asked_again_by_the_provider(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        for path, prompt in (("/auth/login", None), ("/auth/login?prompt=login", "login")):
            _, _, headers = await desk.get(path)
            assert URI(headers["Location"]).query.get("prompt") == prompt
        _, _, headers = await desk.get("/auth/login?prompt=none")
        assert "prompt" not in URI(headers["Location"]).query


async def test_a_sign_in_that_was_not_begun_here_or_is_repeated_is_refused(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        back = await desk.leave()
        assert (await desk.get(f"{back}x"))[0] == 401  # another state
        desk.http.cookie_jar.clear()
        assert (await desk.get(back))[0] == 401  # another browser
        back = await desk.leave()
        cookies = {cookie.key: cookie.value for cookie in desk.http.cookie_jar}
        assert (await desk.get(back))[0] == 302
        assert (await desk.get(back, cookies=cookies))[0] == 401  # the code again
        back = await desk.leave()
        desk.now += 601
        assert (await desk.get(back))[0] == 401  # too late


async def test_a_changed_or_foreign_session_is_none(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA)) as desk:
        assert (await desk.sign_in())[0] == 302
        (session,) = [one.value for one in desk.http.cookie_jar if one.key == "surgewatch-session"]
        head, body, signature = session.split(".")
        desk.http.cookie_jar.clear()
        for forged in (f"{head}.{body[:-2]}AA.{signature}", f"{head}.{body}.", "x", "a.b.c", "é"):
            assert await desk.silence(Cookie=f"surgewatch-session={forged}") == 401, forged
        _, _, headers = await desk.get("/auth/login")
        login = headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        assert await desk.silence(Cookie=f"surgewatch-session={login}") == 401  # of another purpose


async def test_a_provider_that_does_not_answer_is_502_and_stops_nothing_else(desk_of, tmp_path) -> None:
    async with desk_of(IdentityProvider(ANA), anonymous='anonymous = "read"') as desk:
        desk.provider.url = "http://127.0.0.1:9"  # it names another issuer now
        assert (await desk.get("/auth/login"))[0] == 401
        assert (await desk.get("/api/board"))[0] == 200
    async with desk_of(IdentityProvider(ANA)) as desk:
        path = tmp_path / "access.toml"
        path.write_text(path.read_text().replace(desk.provider.url, "http://127.0.0.1:9"))
        assert (await desk.get("/auth/login"))[0] == 502


def test_a_sign_in_that_cannot_work_is_refused_at_the_start(tmp_path, monkeypatch) -> None:
    from alerts.worker.console_backend import people
    from alerts.worker.settings import Settings
    from streams.contract.sectors import registry

    path = tmp_path / "access.toml"
    path.write_text('[oidc]\nissuer = "https://id.example"\nclient_id = "c"\nclient_secret = "env:OIDC"\n')
    monkeypatch.setenv("SURGEWATCH_CONSOLE_ACCESS", str(path))
    with pytest.raises(SetupError, match="needs SURGEWATCH_CONSOLE_URL"):
        people(Settings(), registry())
    monkeypatch.setenv("SURGEWATCH_CONSOLE_URL", "https://watch.example")
    with pytest.raises(SetupError, match="OIDC is not set"):
        people(Settings(), registry())
    monkeypatch.setenv("OIDC", SECRET)
    monkeypatch.setenv("SURGEWATCH_CONSOLE_SESSION_KEY", "too short")
    with pytest.raises(SetupError, match="needs 32 characters") as caught:
        people(Settings(), registry())
    assert "too short" not in str(caught.value)


async def test_the_provider_is_asked_through_the_proxy_of_the_environment(desk_of, monkeypatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with proxying(ConnectProxy(refuses=("http://127.0.0.1",))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with desk_of(IdentityProvider(ANA)) as desk:
            assert (await desk.get("/auth/login"))[0] == 401
            assert proxy.asked == [f"GET {desk.provider.url}/.well-known/openid-configuration"]
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            assert (await desk.sign_in())[0] == 302
            assert len(proxy.asked) == 1


async def test_the_password_of_the_proxy_is_not_logged(desk_of, tmp_path, monkeypatch) -> None:
    async with (
        proxying(ConnectProxy(password="me:another")) as proxy,
        desk_of(IdentityProvider(ANA)) as desk,
    ):
        path = tmp_path / "access.toml"
        path.write_text(path.read_text().replace(desk.provider.url, "https://id.example"))
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url.replace("//", "//me:hunter2@"))
        with capture_logs() as lines:
            assert (await desk.get("/auth/login"))[0] == 502
    assert proxy.asked == ["CONNECT id.example:443"]
    (line,) = [one for one in lines if one["event"] == "identity provider cannot be used"]
    assert line["error"] == "ClientHttpProxyError: status 407"
    assert "hunter2" not in str(lines)
