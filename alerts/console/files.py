"""The files of the page, in one language: what stands between `{{` and `}}` in it is a message."""

import json
import re
from html import escape
from importlib import resources
from typing import Final, NamedTuple

from alerts.languages.language import Language, messages_of

SCRIPTS: Final = (
    *("console.js", "alerts.js", "charts.js", "elements.js", "feeds.js", "forms.js", "history.js"),
    *("language.js", "lists.js", "lock.js", "words.js"),
)
KINDS: Final = {
    "index.html": "text/html",
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "vendor/uPlot.iife.min.js": "text/javascript",
    "vendor/uPlot.min.css": "text/css",
    "messages.js": "text/javascript",
    **dict.fromkeys(SCRIPTS, "text/javascript"),
}
MARKED: Final = re.compile(r"\{\{(.+?)\}\}")


class File(NamedTuple):
    """A file as it is served."""

    kind: str
    body: bytes


def files(language: Language) -> dict[str, File]:
    """Return all files of the page by their name."""
    return {name: File(kind, _body(name, language)) for name, kind in KINDS.items()}


def _body(name: str, language: Language) -> bytes:
    if name == "messages.js":
        return _messages(language)
    body = resources.files("alerts.console").joinpath(name).read_bytes()
    return _page(body.decode(), language).encode() if name == "index.html" else body


def _page(text: str, language: Language) -> str:
    """Return the page with its messages in a language."""
    translated = MARKED.sub(lambda found: escape(language.gettext(found[1])), text)
    return translated.replace('<html lang="en">', f'<html lang="{language.code}">', 1)


def _messages(language: Language) -> bytes:
    """Return the messages of the scripts as a module. A message with a plural has both of its forms."""
    values = {"language": language.code, "messages": messages_of(language.code, ".js")}
    lines = (f"export const {name} = {json.dumps(value)};\n" for name, value in values.items())
    return "".join(lines).encode()
