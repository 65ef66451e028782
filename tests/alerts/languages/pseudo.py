"""A language that nobody speaks: every letter of a message is changed, and no letter of a value.

What is still readable in a text then was written past the catalogue.
"""

import gettext
import re

from alerts.languages.language import Language

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHANGED = str.maketrans(PLAIN, "".join(chr(ord(letter) + 0xFEE0) for letter in PLAIN))  # full width


def changed(message: str) -> str:
    """Change the letters of a message, but for the names of its values."""
    return "".join(
        part if part.startswith("{") else part.translate(CHANGED) for part in re.split(r"(\{\w+\})", message)
    )


class Pseudo(gettext.NullTranslations):
    """Its catalogue."""

    def gettext(self, message: str) -> str:
        return changed(message)

    def pgettext(self, context: str, message: str) -> str:
        return changed(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return changed(msgid1 if n == 1 else msgid2)


PSEUDO = Language("en", Pseudo())


def readable(text: str, known: set[str]) -> set[str]:
    """Return the words of a text that no catalogue has changed, less those that are known to be data."""
    return {word for word in re.findall(r"[A-Za-z]{2,}", text) if word.lower() not in known}
