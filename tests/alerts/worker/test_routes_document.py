"""A routes document that cannot work is refused at the start, with every reason."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.lifecycle.alert import Severity
from alerts.sinks.mail.sink import MailSink
from alerts.worker.routes_document import RoutesError, configured, routes
from alerts.worker.settings import Settings
from streams.contract.toml_documents import DocumentError

GOOD = """
[sink.duty]
kind = "pagerduty"
routing_key = "env:KEY"
least = "critical"

[sink.chat]
kind = "slack"
url = "env:CHAT"

[sink.hook]
kind = "webhook"
url = "https://example.org/hook"
secret = "env:SECRET"

[[route]]
name = "night"
sinks = ["duty", "chat", "hook"]
quiet = { start = "22:00", end = "06:00", time_zone = "America/Toronto" }
"""
SECRETS = {"KEY": "k", "CHAT": "https://hooks.slack.com/x", "SECRET": "whsec_c2VjcmV0"}


def refusal(folder: Path, text: str, environment: dict[str, str] = SECRETS) -> str:
    path = folder / "routes.toml"
    path.write_text(text)
    with pytest.raises((DocumentError, RoutesError)) as caught:
        routes(path).sinks(environment=environment)
    return str(caught.value)


def set_up(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    path = folder / "routes.toml"
    path.write_text(text)
    configured(Settings(routes=path))


def test_a_document_that_is_right_is_taken(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(GOOD)
    document = routes(tmp_path / "routes.toml")
    assert [sink.name for sink in document.sinks(environment=SECRETS)] == ["duty", "chat", "hook"]
    assert document.least() == {"duty": Severity.CRITICAL}


def test_every_fault_of_the_document_is_named_at_once(tmp_path: Path) -> None:
    error = refusal(
        tmp_path,
        GOOD.replace("Toronto", "Torronto").replace('least = "critical"', 'least = "grave"')
        + '[[route]]\nsinks = ["chat"]\nquestion = ["surgee"]\n',
    )
    assert "sink.duty.pagerduty.least" in error
    assert "unknown time zone 'America/Torronto'" in error
    assert "route.1.question.0" in error


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        ("22:00Z", "quiet hours are by their time_zone, so a time has no offset of its own"),
        ("22:00-05:00", "quiet hours are by their time_zone, so a time has no offset of its own"),
        ("06:00", "quiet hours end when they begin, so they would never hold"),
    ],
)
def test_quiet_hours_that_cannot_hold_are_refused(tmp_path: Path, start: str, fault: str) -> None:
    assert fault in refusal(tmp_path, GOOD.replace('"22:00"', f'"{start}"'))


def test_a_route_to_an_unknown_sink_is_refused(tmp_path: Path) -> None:
    assert "routes name unknown sinks: nosuch" in refusal(tmp_path, GOOD + '[[route]]\nsinks = ["nosuch"]\n')


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ('border = ["northrn"]', "route night: no border matches 'northrn'; nearest known: northern"),
        ('sector = ["swantn", "havre"]', "route night: no sector matches 'swantn'; nearest known: swanton"),
        ('sector = ["houlton*x"]', "route night: no sector matches 'houlton*x'; nearest known: houlton"),
        (
            'border = ["southwest"]\nsector = ["swanton"]',
            "night: none of its sectors is in one of its borders",
        ),
    ],
)
def test_a_route_by_which_nobody_would_be_notified_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, condition: str, fault: str
) -> None:
    with pytest.raises(RoutesError, match=re.escape(fault)):
        set_up(tmp_path, monkeypatch, GOOD.replace('name = "night"', f'name = "night"\n{condition}'))


def test_routes_limited_to_places_that_are_there_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = 'border = ["north*"]\nsector = ["swanton", "rcmp-*"]'
    set_up(tmp_path, monkeypatch, GOOD.replace('name = "night"', f'name = "night"\n{places}'))


def test_two_routes_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "routes of the same name: night" in refusal(
        tmp_path, GOOD + '[[route]]\nname = "night"\nsinks = ["duty"]\n'
    )


def test_every_sink_that_cannot_work_is_named_at_once_without_its_secrets(tmp_path: Path) -> None:
    error = refusal(
        tmp_path,
        GOOD.replace("https://example.org/hook", "ftp://example.org"),
        {"CHAT": "hooks.slack.com/secret-path"},
    )
    assert set(error.split("; ")) == {
        "sink duty: the environment variable KEY is not set",
        "sink chat: its url is no http(s) address",
        "sink hook: its url is no http(s) address",
        "sink hook: the environment variable SECRET is not set",
    }


def test_a_signing_secret_that_is_empty_is_refused(tmp_path: Path) -> None:
    assert "sink hook: its secret is empty" in refusal(tmp_path, GOOD, {**SECRETS, "SECRET": "whsec_"})


def test_a_secret_may_end_a_line_as_it_does_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(GOOD)
    from_files = {name: f"{value}\n" for name, value in SECRETS.items()}
    assert routes(tmp_path / "routes.toml").sinks(environment=from_files) == routes(
        tmp_path / "routes.toml"
    ).sinks(environment=SECRETS)


@pytest.mark.parametrize("url", ["http://10.0.0.7/x", "http://localhost/x", "http://[::1]/"])
def test_a_private_address_that_is_not_allowed_is_refused(tmp_path: Path, url: str) -> None:
    assert "private address" in refusal(tmp_path, GOOD.replace("https://example.org/hook", url))


@pytest.mark.parametrize(
    "url",
    [
        *("", "https://", "https://a b/", "https://x:99999/", "https://[::1", "//x"),
        *("https://hooks..example.org/", "https://.example.org/", f"https://{'a' * 64}.org/"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    assert "no http(s) address" in refusal(tmp_path, GOOD.replace("https://example.org/hook", url))


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('proxy = "proxy:3128"', "its proxy is no http(s) address"),
        ('proxy = "env:PROXY"', "the environment variable PROXY is not set"),
        ("proxy_resolves = true", "proxy_resolves needs a proxy"),
        ('ca_file = "/nowhere/ca.pem"', "ca_file: no file /nowhere/ca.pem"),
        ('key_file = "/nowhere/key.pem"', "key_file: no file /nowhere/key.pem"),
    ],
)
def test_a_network_that_cannot_work_is_refused(tmp_path: Path, more: str, fault: str) -> None:
    error = refusal(tmp_path, GOOD.replace('secret = "env:SECRET"', f'secret = "env:SECRET"\n{more}'))
    assert error.startswith(f"sink hook: {fault}")


def test_through_a_proxy_plain_http_is_refused(tmp_path: Path) -> None:
    more = 'proxy = "http://proxy:3128"'
    text = GOOD.replace("https://example.org/hook", "http://example.org").replace(
        "[sink.hook]", f"[sink.hook]\n{more}"
    )
    assert "through a proxy its url has to be https" in refusal(tmp_path, text)


APP = """
[sink.shift]
kind = "slack_app"
channel = "C0123456789"
bot_token = "env:BOT"
app_token = "env:APP"
"""
TOKENS = {"BOT": "xoxb-secret", "APP": "xapp-secret"}


def test_a_slack_app_is_taken_and_shows_no_token(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(APP)
    (sink,) = routes(tmp_path / "routes.toml").sinks(environment=TOKENS)
    assert "secret" not in repr(sink)


@pytest.mark.parametrize(
    ("text", "environment", "fault"),
    [
        (APP, {"BOT": "xapp-secret", "APP": "xapp-secret"}, "its bot_token does not begin with xoxb-"),
        (APP, {"BOT": "xoxb-secret"}, "the environment variable APP is not set"),
        (APP.replace("C0123456789", "#watch"), TOKENS, "channel"),
        (APP.replace("env:BOT", "xoxb-secret"), TOKENS, "bot_token"),
        (APP + 'api_url = "https://slack.example/api/"', TOKENS, "must be one of https://slack.com/api/"),
        (APP + 'api_url = "http://10.0.0.7/api/"', TOKENS, "must be one of https://slack.com/api/"),
    ],
)
def test_a_slack_app_that_cannot_work_or_would_give_its_tokens_away_is_refused(
    tmp_path: Path, text: str, environment: dict[str, str], fault: str
) -> None:
    error = refusal(tmp_path, text, environment)
    assert fault in error
    assert "xoxb-secret" not in error
    assert "xapp-secret" not in error


BOTH_WAYS = GOOD.replace(
    'least = "critical"',
    'webhook_secrets = ["env:OLD", "env:NEW"]\napi_token = "env:TOKEN"\napi_url = "http://10.0.0.7"',
)


def test_what_pagerduty_needs_to_answer_is_checked_too(tmp_path: Path) -> None:
    error = refusal(tmp_path, BOTH_WAYS, {**SECRETS, "NEW": "whs", "TOKEN": "t"})
    assert set(error.split("; ")) == {
        "sink duty: the environment variable OLD is not set",
        "sink duty: its api_url is a private address",
        "allow_private = true allows it",
    }


MAIL = """
[sink.list]
kind = "email"
server = "smtp.example.org"
username = "env:USER"
password = "env:PASSWORD"
sender = "surgewatch@example.org"
to = ["shift@example.org"]
"""
LOGIN = {"USER": "surgewatch", "PASSWORD": "correct-horse"}


def test_a_mail_sink_is_taken_with_its_login_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(MAIL)
    (sink,) = routes(tmp_path / "routes.toml").sinks(environment=LOGIN)
    assert isinstance(sink, MailSink)
    assert sink.server.password == SecretStr("correct-horse")
    assert "correct-horse" not in repr(sink)


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('password = "env:PASSWORD"\n', "", "username and password belong together"),
        ('"env:PASSWORD"', '"correct-horse"', "sink.list.email.password"),
        ("smtp.example.org", "10.0.0.7", "its server is a private address"),
        ("smtp.example.org", "smtp..example.org", "sink.list.email.server"),
        ("smtp.example.org", "smtp.example.org:25", "sink.list.email.server"),
        ("smtp.example.org", "[::1]", "its server is a private address"),
        ("shift@example.org", "shift@example.org\\r\\nBcc: x@example.org", "sink.list.email.to.0"),
        ("shift@example.org", "night..shift@example.org", "sink.list.email.to.0"),
        ("shift@example.org", "shift@example.org.", "sink.list.email.to.0"),
        ("surgewatch@example", ".surgewatch@example", "sink.list.email.sender"),
        ("sender =", 'ca_file = "/nowhere.pem"\nsender =', "ca_file: no file /nowhere.pem"),
        ("to =", 'proxy = "http://proxy.internal:3128"\nto =', "sink.list.email.proxy"),
        ("to =", 'security = "none"\nto =', "sink.list.email.security"),
    ],
)
def test_a_mail_sink_that_cannot_work_is_refused(tmp_path: Path, right: str, wrong: str, fault: str) -> None:
    error = refusal(tmp_path, MAIL.replace(right, wrong), LOGIN)
    assert fault in error
    assert "correct-horse" not in error


def test_a_signing_secret_of_the_settings_that_is_none_is_refused() -> None:
    given = {"webhook_url": "https://example.org/hook", "webhook_secret": SecretStr("whsec_")}
    with pytest.raises(RoutesError, match="SURGEWATCH_WEBHOOK_SECRET cannot be used: its secret is empty"):
        configured(Settings(**given))
