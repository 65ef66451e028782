"""What a control changes, in a few words: for the console, the command line and histories of alerts."""

import datetime as dt

from alerts.languages.language import ENGLISH, Language
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.wording import ASSESSMENTS, SEVERITIES, question_title
from streams.contract.controls import Capacity, Confirm, Control, PolicyDate, Sensitivity, Withdrawn
from streams.contract.questions import Question


def effect(control: Control, language: Language = ENGLISH) -> str:
    """Return in a few words what a control changes."""
    number = language.brief
    match control:
        case Silence():
            return _silence(control, language)
        case Acknowledge():
            return _acknowledgement(control, language)
        case Reroute():
            return _route(control, language)
        case PolicyDate():
            return _policy_date(control, language)
        case Capacity():
            return language.gettext(
                "capacity of {sector}: {people} a day",
                sector=_sector(control.sector, language),
                people=number(control.people_per_day),
            )
        case Sensitivity():
            return language.gettext(
                "false alarms accepted in {sector}: {number} a month",
                number=number(control.false_alarms_per_month),
                sector=_sector(control.sector, language),
            )
        case Confirm():
            return language.gettext(
                "nobody comes to {sector}: zeros are counted as such until its next event",
                sector=control.sector,
            )
        case Withdrawn():
            return language.gettext("{control} is withdrawn", control=control.withdraws)
    raise TypeError(f"a {type(control).__name__} is no control that has an effect")


def _policy_date(control: PolicyDate, language: Language) -> str:
    return language.gettext(
        "a new level from {day} on in {sectors}",
        day=language.day(dt.datetime.combine(control.date, dt.time(), dt.UTC)),
        sectors=", ".join(_sector(one, language) for one in control.sectors),
    )


def _silence(silence: Silence, language: Language) -> str:
    values = {
        "sector": _sector(silence.sector, language),
        "question": _question(silence.question, language),
        "until": _moment(silence.until, language),
    }
    if silence.repeats is not None and silence.starts is not None:
        return language.gettext(
            "no notices of {question} in {sector} from {starts} until {until}, {hours} h each time: "
            "{rule} ({zone})",
            **values,
            starts=_moment(silence.starts, language),
            hours=language.brief(silence.hours or 0),
            rule=silence.repeats,
            zone=silence.time_zone,
        )
    if silence.starts is not None:
        return language.gettext(
            "no notices of {question} in {sector} from {starts} until {until}",
            **values,
            starts=_moment(silence.starts, language),
        )
    return language.gettext("no notices of {question} in {sector} until {until}", **values)


def _sector(sector: str, language: Language) -> str:
    """Return a sector as operators name it: by its id or a glob."""
    return sector if sector != "*" else language.gettext("all sectors")


def _question(question: str, language: Language) -> str:
    """Return what a question is called; a glob stays as it is."""
    if question == "*":
        return language.gettext("alerts")
    known = next((one for one in Question if one.value == question), None)
    return question_title(known, language) if known else question


def _acknowledgement(control: Acknowledge, language: Language) -> str:
    values = {"person": control.by, "alert": control.alert_id}
    if control.assessment is None:
        return language.gettext("{person} takes care of alert {alert}", **values)
    found = language.gettext(ASSESSMENTS[control.assessment])
    return language.gettext("{person} marks alert {alert} as {found}", **values, found=found)


def _route(control: Reroute, language: Language) -> str:
    if control.route is None:
        return language.gettext("route {route} is off", route=control.name)
    return language.gettext(
        "route {route} sends {severity} and above to {sinks}",
        route=control.name,
        severity=language.gettext(SEVERITIES[control.route.least]),
        sinks=", ".join(control.route.sinks),
    )


def _moment(moment: dt.datetime, language: Language) -> str:
    return f"{language.minute(moment)} {moment:%Z}"
