"""Clicks on the buttons of a Slack message become requests, as the console's form makes them."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from pydantic import BaseModel, Field, ValidationError

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Assessment, State

HOURS: Final = 8  # of a silence


class Action(StrEnum):
    """What a button does; its `action_id`."""

    TAKE = "take"
    SILENCE = "silence"
    NOT_A_SURGE = "not_a_surge"
    BAD_DATA = "bad_data"


class Click(NamedTuple):
    """One click. Its `click_id` is the same when Slack sends it again."""

    click_id: str
    action: Action
    alert_id: str
    user: str
    channel: str
    at: dt.datetime


class _Identified(BaseModel):
    id: Annotated[str, Field(min_length=1, max_length=64)]


class _Pressed(BaseModel):
    action_id: Action
    value: Annotated[str, Field(max_length=64)]
    action_ts: Annotated[float, Field(gt=0, lt=1e11, allow_inf_nan=False)]  # epoch seconds


class _Interaction(BaseModel):
    """The part of Slack's `block_actions` payload that is read."""

    type: Literal["block_actions"]
    user: _Identified
    channel: _Identified
    actions: Annotated[tuple[_Pressed, ...], Field(min_length=1, max_length=1)]


def click(payload: object) -> Click | None:
    """Read what Slack sent; None where it is no click on a button of ours that sets something."""
    try:
        read = _Interaction.model_validate(payload)
    except ValidationError:
        return None
    (pressed,) = read.actions
    return Click(
        click_id=f"{read.user.id}/{pressed.action_ts!r}/{pressed.action_id}/{pressed.value}",
        action=pressed.action_id,
        alert_id=pressed.value,
        user=read.user.id,
        channel=read.channel.id,
        at=dt.datetime.fromtimestamp(pressed.action_ts, dt.UTC),
    )


def refusal(alert: Alert | None, language: Language = ENGLISH) -> str:
    """Return why nothing can be set on an alert; empty where it can."""
    if alert is None:
        return language.gettext("This alert is no longer known. Nothing was changed.")
    if alert.state is State.RESOLVED:
        return language.gettext("This alert is over. Nothing was changed.")
    return ""


def request(click: Click, alert: Alert, by: str) -> bytes:
    """Return the body of the console's request for a click on a button of `alert`."""
    body: dict[str, Any] = {"by": by, "reason": "button in Slack"}
    if click.action is Action.SILENCE:
        body |= {"kind": "silence", "sector": alert.sector, "question": alert.question, "hours": HOURS}
    else:
        body |= {"kind": "acknowledge", "alert_id": alert.alert_id}
    if click.action in (Action.NOT_A_SURGE, Action.BAD_DATA):
        body["assessment"] = Assessment(click.action)
    return msgspec.json.encode(body)
