"""The catalogues: exactly the messages of the code, all translated, with the same values in them."""

import datetime as dt
from string import Formatter

import pytest
from babel.messages.catalog import Message

from alerts.languages.language import CODES, Code, catalogue, language
from surgewatch.reference.catalogues import template, updated

OTHERS = [code for code in CODES if code != "en"]
each_language = pytest.mark.parametrize("code", OTHERS)


def messages(code: Code) -> list[Message]:
    return [message for message in catalogue(code) if message.id]


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@each_language
def test_a_catalogue_has_exactly_the_messages_of_the_code(code: Code) -> None:
    found = {(message.context, message.id) for message in messages(code)}
    assert found == {(message.context, message.id) for message in template() if message.id}


@each_language
def test_bringing_a_catalogue_up_to_date_keeps_every_translation(code: Code) -> None:
    kept = {(one.context, one.id): one.string for one in updated(code) if one.id}
    assert kept == {(one.context, one.id): one.string for one in messages(code)}


@each_language
def test_every_message_is_translated_in_every_form(code: Code) -> None:
    assert [one.id for one in messages(code) if one.fuzzy or not all(forms(one.string))] == []


@each_language
def test_every_translation_has_the_values_of_its_message(code: Code) -> None:
    for message in messages(code):
        wanted = [values(form) for form in forms(message.id)]
        assert all(values(form) in wanted for form in forms(message.string)), message.id


@each_language
def test_a_translation_ends_as_its_message_does(code: Code) -> None:
    for message in messages(code):
        ends = {form[-1] == "." for form in (*forms(message.id), *forms(message.string))}
        assert len(ends) == 1, message.id


def test_french_has_a_space_before_its_double_signs_that_does_not_break() -> None:
    for message in messages("fr"):
        for form in forms(message.string):
            assert not any(f" {sign}" in form for sign in ":;?!"), message.id


def test_numbers_dates_and_lists_are_as_the_language_writes_them() -> None:
    moment = dt.datetime(2023, 3, 5, 8, 7, tzinfo=dt.UTC)
    english, french, spanish = (language(code) for code in CODES)
    every = (english, french, spanish)
    assert [one.number(12345.5, 1) for one in every] == ["12,345.5", "12\u202f345,5", "12.345,5"]
    assert [one.percent(0.86) for one in every] == ["86%", "86\xa0%", "86\xa0%"]
    assert [one.minute(moment) for one in every] == [
        "2023-03-05 08:07",
        "5 mars 2023 à 08:07",
        "5 mar 2023, 08:07",
    ]
    assert [one.day(moment) for one in every] == ["2023-03-05", "5 mars 2023", "5 mar 2023"]
    listed = [one.listing(["A", "B", "C"]) for one in every]
    assert listed == ["A, B, and C", "A, B et C", "A, B y C"]
