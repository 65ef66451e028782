"""What is wrong with a request, a sentence for each fault, in the language of the console."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from alerts.languages.language import Language, gettext_noop
from streams.contract.sentences import FaultsError, Sentence, sentence

# The faults that the models of requests find, by pydantic's name; any other has the text of pydantic.
KINDS: Final = {
    "missing": gettext_noop("Field required"),
    "extra_forbidden": gettext_noop("Extra inputs are not permitted"),
    "string_type": gettext_noop("Input should be a valid string"),
    "string_too_short": gettext_noop("String should not be empty"),
    "string_too_long": gettext_noop("String should have at most {max_length} characters"),
    "string_pattern_mismatch": gettext_noop("String should match pattern {pattern}"),
    "float_type": gettext_noop("Input should be a valid number"),
    "finite_number": gettext_noop("Input should be a finite number"),
    "greater_than": gettext_noop("Input should be greater than {gt}"),
    "less_than_equal": gettext_noop("Input should be less than or equal to {le}"),
    "enum": gettext_noop("Input should be {expected}"),
    "literal_error": gettext_noop("Input should be {expected}"),
    "tuple_type": gettext_noop("Input should be a list"),
    "too_short": gettext_noop("The list should not be empty"),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        gettext_noop("Input should be a day: YYYY-MM-DD"),
    ),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        gettext_noop("Input should be a time: YYYY-MM-DDThh:mm:ssZ"),
    ),
    "timezone_aware": gettext_noop("Input should have a time zone"),
    "json_invalid": gettext_noop("Input should be JSON"),
    "model_type": gettext_noop("Input should be a JSON object"),
}


def understood(error: ValidationError) -> FaultsError:
    """Return what a model found wrong as sentences."""
    faults = error.errors(include_url=False, include_input=False)
    return FaultsError(
        *(
            one
            for found in faults
            for one in _found(found["type"], found["loc"], found["msg"], found.get("ctx", {}))
        )
    )


def _found(kind: str, where: Sequence[object], text: str, values: Mapping[str, Any]) -> Sequence[Sentence]:
    """Return the sentences about one fault that a model found."""
    inner = values.get("error")
    if isinstance(inner, FaultsError):
        whats = inner.sentences
    else:
        whats = (Sentence(KINDS[kind], values) if kind in KINDS else Sentence("{text}", {"text": text}),)
    if not where:
        return whats
    field = ".".join(map(str, where))
    return [sentence("{field}: {fault}", field=field, fault=what) for what in whats]


def translated(fault: Sentence, language: Language) -> str:
    """Return a sentence in a language."""
    return language.gettext(
        fault.message, **{name: _value(one, language) for name, one in fault.values.items()}
    )


def _value(value: object, language: Language) -> object:
    match value:
        case Sentence():
            return translated(value, language)
        case int() | float():
            return language.brief(value)
    return value
