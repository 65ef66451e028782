"""A language: its messages, and how it writes numbers, dates and lists.

Messages in the code are English, and are the keys of the catalogues beside this file (`fr.po`, `es.po`). A
message that a catalogue lacks stays English. Values are put into a message after it was translated.

The catalogues are read as translators write them, once for each process, and compiled in memory: that takes
some milliseconds, and no built file can be older than its source.
"""

import datetime as dt
import functools
import gettext
import io
from collections.abc import Sequence
from importlib import resources
from typing import Final, Literal, get_args

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

Code = Literal["en", "fr", "es"]
CODES: Final[tuple[Code, ...]] = get_args(Code)
DAYS: Final = {"en": "y-MM-dd", "fr": "d MMM y", "es": "d MMM y"}
MINUTES: Final = {"en": "y-MM-dd HH:mm", "fr": "d MMM y 'à' HH:mm", "es": "d MMM y, HH:mm"}
LARGEST: Final = 1e15  # a number beyond is written as this: a ratio to almost nothing has hundreds of digits
DECIMALS: Final = ("#,##0", "#,##0.0", "#,##0.00")  # by their number of decimals


class Language:
    """One language. The names of methods are those that extraction looks for (`make catalogues`)."""

    def __init__(self, code: Code, messages: gettext.NullTranslations) -> None:
        self.code = code
        self._messages, self._locale = messages, Locale.parse(code)

    def __repr__(self) -> str:
        return f"Language({self.code})"

    def gettext(self, message: str, /, **values: object) -> str:
        """Return a message with its values."""
        return self._messages.gettext(message).format(**values)

    def pgettext(self, context: str, message: str, /) -> str:
        """Return a message that the context tells apart from others of the same text."""
        return self._messages.pgettext(context, message)

    def ngettext(self, one: str, many: str, n: int, /, *, shown: str = "", **values: object) -> str:
        """Return a message in the form that the number asks for; `{n}` is the number, or what is `shown`."""
        return self._messages.ngettext(one, many, n).format(n=shown or self.number(n), **values)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with its separators: `1,234.5`, `1 234,5`."""
        return str(format_decimal(_bounded(value), DECIMALS[decimals], self._locale))

    def brief(self, value: float) -> str:
        """Return a number with as many decimals as it has, three at most."""
        return str(format_decimal(_bounded(value), "#,##0.###", self._locale))

    def percent(self, share: float) -> str:
        """Return a share as whole per cent."""
        return str(format_percent(_bounded(share), locale=self._locale))

    def day(self, moment: dt.datetime) -> str:
        """Return the day of a moment, in the zone that the moment is in."""
        return str(format_datetime(moment, DAYS[self.code], moment.tzinfo, self._locale))

    def minute(self, moment: dt.datetime) -> str:
        """Return a moment to the minute, in the zone that it is in."""
        return str(format_datetime(moment, MINUTES[self.code], moment.tzinfo, self._locale))

    def country(self, name: str) -> str:
        """Return a country that has its English name; any other name as it is."""
        return str(self._locale.territories.get(_countries().get(name.casefold(), ""), name))

    def listing(self, items: Sequence[str]) -> str:
        """Return items as a list in a sentence: `A, B and C`."""
        return str(format_list(items, locale=self._locale)) if items else ""


def _bounded(value: float) -> float:
    return max(min(value, LARGEST), -LARGEST)


def gettext_noop(message: str) -> str:
    """Mark a message that is translated where it is used."""
    return message


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """Mark a message with two forms that is translated where it is used."""
    return one, many


def catalogue(code: Code) -> Catalog:
    """Read the catalogue of a language; raises where it is not well formed."""
    text = resources.files(__package__).joinpath(f"{code}.po").read_bytes()
    return read_po(io.BytesIO(text), locale=code, abort_invalid=True)


def messages_of(code: Code, suffix: str) -> dict[str, str | Sequence[str]]:
    """Return the translated messages of the files with a suffix: the text, or its forms by number."""
    if code == "en":
        return {}
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string or ""
        for message in catalogue(code)
        if any(path.endswith(suffix) for path, _ in message.locations)
    }


@functools.cache
def language(code: Code) -> Language:
    """Return a language."""
    if code == "en":
        return ENGLISH
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return Language(code, gettext.GNUTranslations(compiled))


@functools.cache
def _countries() -> dict[str, str]:
    """Return the codes of countries by their English names, without their case."""
    named = Locale("en").territories.items()
    return {name.casefold(): code for code, name in named if code.isalpha() and len(code) == 2}


ENGLISH: Final = Language("en", gettext.NullTranslations())
