"""Notices in French and Spanish, as they are sent."""

import datetime as dt

import pytest
from pydantic import SecretStr

from alerts.languages.language import Code, language
from alerts.lifecycle.policies import policies
from alerts.notices.controls import Acknowledge, Silence
from alerts.sinks.slack.webhook import SlackSink
from streams.contract.verdicts import Question
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink

NB = "\u00a0"  # before a colon, in French


def desk(code: Code) -> OneSink:
    return OneSink(policies=policies(), language=language(code))


def test_a_surge_in_french_from_its_beginning_to_its_end() -> None:
    night = desk("fr")
    (first,) = night.judge(verdict(0, breach=True, observed=1200))
    assert first.headline == f"Afflux à Swanton{NB}: 1\u202f200 en 1 jour, attendu{NB}: 30 (×40,0)"
    assert first.since == "31 déc. 2022 à 19:00 EST (1 janv. 2023 à 00:00 UTC)"
    assert first.text.splitlines()[:3] == [
        f"Attendu{NB}: de 15 à 50\u202f; par hasard une fois sur 100\u202f000.",
        f"Depuis le 31 déc. 2022 à 19:00 EST (1 janv. 2023 à 00:00 UTC), hors norme{NB}: 1 jour.",
        "Données jusqu’au 1 janv. 2023 à 19:00 EST (2 janv. 2023 à 00:00 UTC).",
    ]
    assert f"Référence{NB}: régression sur 700 jours." in first.details
    ended = [notice for day in range(1, 4) for notice in night.judge(verdict(day, breach=False))]
    assert ended[-1].headline == f"Terminée{NB}: {first.headline}"


def test_a_surge_in_spanish_that_somebody_takes_care_of() -> None:
    shift = desk("es")
    (first,) = shift.judge(verdict(0, breach=True, observed=12345))
    assert first.headline == "Repunte en Swanton: 12.345 en 1 día, se esperaban 30 (×411,5)"
    control = Acknowledge(alert_id=first.alert.alert_id, by="Ana", at=shift.at, reason="drill")
    (taken,) = shift.apply(control)
    assert taken.headline == f"Atendida: {first.headline}"
    assert taken.details.splitlines()[0] == "Ana se encarga."


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        (
            "fr",
            f"Swanton dépasse sa capacité{NB}: 31 personnes aujourd’hui, pour un maximum de 8 (3,9 fois).",
        ),
        ("es", "Swanton supera su capacidad: 31 personas hoy, para un máximo de 8 (3,9 veces)."),
    ],
)
def test_a_sector_over_its_capacity(code: Code, headline: str) -> None:
    full = verdict(0, breach=True, observed=31, expected=35, question=Question.STRAIN, capacity=8)
    (notice,) = desk(code).judge(full)
    assert notice.headline == headline


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("fr", f"5 alertes{NB}: 5 critiques"),
        ("es", "5 alertas: 5 críticas"),
    ],
)
def test_a_silence_that_ends_is_one_digest_in_the_language_of_the_sink(code: Code, title: str) -> None:
    shift = desk(code)
    until = shift.at + dt.timedelta(hours=8)
    shift.apply(Silence(name="s", sector="*", until=until, by="Ana", at=shift.at, reason="drill"))
    sectors = ("swanton", "houlton", "detroit", "buffalo", "havre")
    assert shift.judge(*(verdict(0, breach=True, observed=900, sector=one) for one in sectors)) == []
    notices = shift.wait(hours=9)

    request = SlackSink("s", SecretStr("https://x.example"), language=language(code)).digest(
        notices, shift.now
    )
    assert title in request.body.decode()
