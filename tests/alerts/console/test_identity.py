"""Who is who: tokens by client, the headers of a trusted proxy, roles, borders, and the name in the audit."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from click.testing import CliRunner
from pydantic import SecretStr

from alerts.console.access_document import AccessFile
from alerts.console.identity import Identity
from streams.contract.toml_documents import DocumentError
from surgewatch.commands.token import command
from tests.alerts.console.served import TOKEN, ServedConsole, opened

HERE, ELSEWHERE = "127.0.0.1/32", "10.0.3.0/24"
BORDERS = {"swanton": "northern", "yuma": "southwest"}
CAPACITY = {"kind": "capacity", "sector": "swanton", "people_per_day": 60, "reason": "tents"}
SILENCE = {"kind": "silence", "sector": "swanton", "hours": 1, "reason": "drill"}


NORTH = 'borders = ["northern"]'
CLIENTS = {
    "reader": 'role = "read"',
    "dispatch": 'role = "operate"',
    "north": f'role = "operate"\n{NORTH}',
    "admin-north": f'role = "administer"\n{NORTH}',
    "root": 'role = "administer"',
}


def document(*, proxy: str = HERE, anonymous: str = "") -> str:
    """An access document; the token of each client is its name."""
    clients = "".join(
        f'[client.{name}]\ntoken_sha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n{more}\n'
        for name, more in CLIENTS.items()
    )
    return f"""
{anonymous}
{clients}
[proxy]
addresses = ["{proxy}"]
name_header = "X-User"
groups_header = "X-Groups"
[[grant]]
groups = ["watch"]
role = "operate"
[[grant]]
people = ["ana@example.org"]
role = "administer"
borders = ["southwest"]
"""


@pytest.fixture
def identity(tmp_path: Path) -> Callable[..., Identity]:
    def made(text: str | None = None, token: str | None = None) -> Identity:
        path = tmp_path / "access.toml"
        path.write_text(text if text is not None else document())
        return Identity(SecretStr(token) if token else None, AccessFile(path).current)

    return made


async def post_control(
    served: ServedConsole, body: Any, headers: dict[str, str], path: str = "/api/controls"
) -> tuple[int, Any]:
    async with (
        ClientSession() as http,
        http.post(served.url + path, json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def read(served: ServedConsole, path: str, headers: dict[str, str]) -> tuple[int, str]:
    async with ClientSession() as http, http.get(served.url + path, headers=headers) as answer:
        return answer.status, await answer.text()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def person(name: str, groups: str = "") -> dict[str, str]:
    return {"X-User": name, "X-Groups": groups}


@pytest.mark.parametrize(
    ("client", "silence", "capacity", "southwest"),
    [
        ("reader", 403, 403, 403),
        ("dispatch", 202, 403, 202),
        ("north", 202, 403, 403),
        ("admin-north", 202, 202, 403),
        ("root", 202, 202, 202),
        ("nobody", 401, 401, 401),
    ],
)
async def test_a_client_may_what_its_role_and_its_borders_allow(
    identity, client, silence, capacity, southwest
) -> None:
    async with opened(identity=identity()) as served:
        got = [
            (await post_control(served, body, bearer(client)))[0]
            for body in (SILENCE, CAPACITY, SILENCE | {"sector": "yuma"})
        ]
        reading = (await read(served, "/api/board", bearer(client)))[0]
    assert got == [silence, capacity, southwest]
    assert reading == (401 if client == "nobody" else 200)
    assert {control.by for control in served.controls} <= {client}


async def test_the_signed_in_name_is_in_the_audit_and_no_other(identity) -> None:
    async with opened(identity=identity()) as served:
        assert (await post_control(served, CAPACITY, bearer("root")))[0] == 202
        status, answer = await post_control(served, CAPACITY | {"by": "somebody else"}, bearer("root"))
        assert (status, answer["error"]) == (422, "by: you are signed in as root")
        assert (await post_control(served, SILENCE, person("ben@example.org", "ops, watch")))[0] == 202
    assert [control.by for control in served.controls] == ["root", "ben@example.org"]


async def test_people_have_the_roles_of_their_name_and_groups(identity) -> None:
    async with opened(identity=identity()) as served:
        ana, ben, eve = person("ana@example.org"), person("ben", "watch"), person("eve", "other")
        yuma = {"sector": "yuma"}
        got = [
            (await post_control(served, body, who))[0]
            for who in (ana, ben, eve)
            for body in (SILENCE, SILENCE | yuma, CAPACITY | yuma)
        ]
        described = json.loads((await read(served, "/api/forms", ben))[1])
    assert got == [403, 202, 202, 202, 202, 403, 403, 403, 403]
    assert described["me"] == {"name": "ben", "role": "operate", "sign_in": ""}
    assert [form["kind"] for form in described["forms"]] == ["acknowledge", "silence", "withdraw"]
    assert "by" not in [field["name"] for field in described["forms"][0]["fields"]]


@pytest.mark.parametrize("path", ["/api/controls", "/api/dead/any/resend", "/api/nothing", "/"])
async def test_the_headers_of_anybody_but_the_proxy_are_not_believed(identity, path) -> None:
    async with opened(identity=identity(document(proxy=ELSEWHERE))) as served:
        assert (await post_control(served, SILENCE, person("ana@example.org", "watch"), path))[0] == 401
        assert (await read(served, "/api/board", person("ana@example.org")))[0] == 401
    assert served.controls == []


async def test_two_names_are_believed_as_little_as_none(identity) -> None:
    async with opened(identity=identity()) as served, ClientSession() as http:
        for header in ("X-User", "X-Groups"):
            headers = [("X-User", "ben"), ("X-Groups", "ops"), (header, "watch")]
            async with http.post(served.url + "/api/controls", json=SILENCE, headers=headers) as answer:
                assert answer.status == 401
        headers = [("X-User", "x" * 300), ("X-Groups", "watch")]
        async with http.post(served.url + "/api/controls", json=SILENCE, headers=headers) as answer:
            assert answer.status == 401


async def test_another_sites_page_cannot_write_in_a_persons_name(identity) -> None:
    async with opened(identity=identity()) as served:
        ben = person("ben", "watch")
        for site, status in {"cross-site": 403, "same-site": 403, "same-origin": 202, "none": 202}.items():
            assert (await post_control(served, SILENCE, {**ben, "Sec-Fetch-Site": site}))[0] == status
    assert len(served.controls) == 2


async def test_a_role_in_some_borders_changes_nothing_that_touches_others(identity) -> None:
    async with opened(identity=identity()) as served:
        north = bearer("admin-north")
        for body in (
            SILENCE | {"sector": "*"},
            SILENCE | {"sector": "swan*"},
            {"kind": "sensitivity", "sector": "*", "false_alarms_per_month": 1, "reason": "r"},
            {"kind": "route", "name": "night", "sinks": [], "reason": "r"},
            {"kind": "withdraw", "key": "silence/yuma-all", "reason": "r"},
            {"kind": "acknowledge", "alert_id": alert_in(served, "miami"), "reason": "r"},
        ):
            assert (await post_control(served, body, north))[0] == 403, body
        assert (await post_control(served, {}, north, "/api/dead/any/resend"))[0] == 403
        taken = {"kind": "acknowledge", "alert_id": alert_in(served, "swanton"), "reason": "r"}
        assert (await post_control(served, taken, north))[0] == 202
        own = {"kind": "withdraw", "key": f"ack/{alert_in(served, 'swanton')}", "reason": "r"}
        assert (await post_control(served, own, north))[0] == 202


def alert_in(served: ServedConsole, sector: str) -> str:
    return next(alert.alert_id for alert in served.board.alerts() if alert.sector == sector)


async def test_an_operator_withdraws_silences_and_no_policy_date(identity) -> None:
    async with opened(identity=identity()) as served:
        keys = {key.partition("/")[0]: key for key in served.board.control_keys()}
        for kind, status in {"silence": 202, "ack": 202, "policy": 403, "capacity": 403}.items():
            body = {"kind": "withdraw", "key": keys[kind], "reason": "over"}
            assert (await post_control(served, body, bearer("dispatch")))[0] == status, kind


async def test_who_is_not_signed_in_may_read_only_where_the_document_allows_it(identity) -> None:
    for anonymous, status in {"": 401, 'anonymous = "read"': 200}.items():
        async with opened(identity=identity(document(anonymous=anonymous))) as served:
            for path in ("/api/board", "/api/alerts", "/api/forms", "/api/openapi.json"):
                assert (await read(served, path, {}))[0] == status
            for path in ("/", "/console/console.js", "/metrics", "/healthz"):
                assert (await read(served, path, {}))[0] == 200
            assert (await post_control(served, SILENCE, {}))[0] == 401


async def test_the_shared_token_still_writes_and_needs_a_name(identity) -> None:
    async with opened(identity=identity(token=TOKEN)) as served:
        assert (await post_control(served, CAPACITY, bearer(TOKEN)))[0] == 422
        assert (await post_control(served, CAPACITY | {"by": "ana"}, bearer(TOKEN)))[0] == 202


async def test_the_document_is_read_again_when_it_changes(identity, tmp_path) -> None:
    async with opened(identity=identity()) as served:
        path = tmp_path / "access.toml"
        path.write_text(
            document().replace("[client.root]", "[client.gone]\n").replace('"administer"', '"read"')
        )
        assert (await post_control(served, CAPACITY, bearer("root")))[0] == 403
        path.write_text("not = a document")
        assert (await post_control(served, CAPACITY, bearer("root")))[0] == 403
        path.write_text(document() + "\n")
        assert (await post_control(served, CAPACITY, bearer("root")))[0] == 202


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[client.a]\ntoken_sha256 = "secret"\nrole = "read"', "client.a.token_sha256"),
        ('[client.a]\ntoken = "x"\nrole = "read"', "client.a.token"),
        ('[[grant]]\nrole = "operate"', "a grant needs people or groups"),
        ('[[grant]]\nrole = "operate"\ngroups = [" "]', "grant.0.groups.0"),
        ('[proxy]\naddresses = ["everywhere"]', "proxy.addresses.0"),
        ('anonymous = "operate"', "anonymous"),
        (
            '[oidc]\nissuer = "https://id.example"\nclient_id = "c"\nca_file = "/nowhere/ca.pem"',
            "oidc.ca_file: no file /nowhere/ca.pem",
        ),
    ],
)
def test_a_document_that_cannot_work_is_refused_at_the_start(tmp_path, text, fault) -> None:
    path = tmp_path / "access.toml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=fault):
        AccessFile(path)


async def test_a_role_in_a_border_that_is_not_there_is_refused(tmp_path) -> None:
    path = tmp_path / "access.toml"
    path.write_text('[[grant]]\nrole = "operate"\npeople = ["anna"]\nborders = ["northrn"]')
    with pytest.raises(DocumentError, match="unknown border 'northrn'; nearest known: northern"):
        AccessFile(path, frozenset({"northern", "southwest"}))


def test_two_clients_cannot_share_a_token(tmp_path) -> None:
    path = tmp_path / "access.toml"
    entry = f'token_sha256 = "{"a" * 64}"\nrole = "read"\n'
    path.write_text(f"[client.a]\n{entry}[client.b]\n{entry}")
    with pytest.raises(DocumentError, match="two clients have the same token"):
        AccessFile(path)


async def test_a_token_of_the_command_line_is_taken_with_the_entry_that_it_prints(identity) -> None:
    made = CliRunner().invoke(command, ["shift bot", "--role", "operate", "--border", "northern"])
    token = made.stderr.removeprefix("token: ").strip()
    async with opened(identity=identity(made.stdout)) as served:
        assert (await post_control(served, SILENCE, bearer(token)))[0] == 202
        assert (await post_control(served, SILENCE | {"sector": "yuma"}, bearer(token)))[0] == 403
    assert [control.by for control in served.controls] == ["shift bot"]
