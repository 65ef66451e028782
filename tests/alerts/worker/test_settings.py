"""Settings of the alerts worker that could not work are refused at start."""

import pytest
from pydantic import ValidationError

from alerts.worker.settings import Settings


@pytest.mark.parametrize(
    "given",
    [
        {"console_url": "console.example.org"},  # links of messages would lead nowhere
        {"grafana_url": "https//grafana.example.org"},
        {"console_url": "https://" + "c" * 60 + ".example.org/" + "c" * 200},  # too long for Slack
        {"give_up_hours": "inf"},
    ],
)
def test_a_setting_with_which_messages_would_be_wrong_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        Settings.model_validate(given)


def test_a_document_whose_setting_is_empty_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it comes out of a compose file whose variable is not set."""
    monkeypatch.setenv("SURGEWATCH_ROUTES", "")
    assert Settings().routes is None


@pytest.mark.parametrize(
    "name", ["console_token", "console_session_key", "slack_url", "webhook_secret", "heartbeat_url"]
)
def test_a_secret_is_what_its_file_says_without_the_last_line_break(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token with the break would never be equal to the one that a client sends."""
    monkeypatch.setenv(f"SURGEWATCH_{name.upper()}", "of-a-file\n")
    assert getattr(Settings(), name).get_secret_value() == "of-a-file"
    monkeypatch.setenv(f"SURGEWATCH_{name.upper()}", "\n")
    assert getattr(Settings(), name) is None
