"""The catalogues of messages: `python -m surgewatch.reference.catalogues` brings them up to date.

What is new stands there without a translation, and what is no longer used is left out.
"""

import io
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from alerts.console.files import MARKED
from alerts.console.requests import REQUESTS, WHO
from alerts.languages.language import CODES, Code, catalogue
from streams.contract.questions import Question

ALERTS: Final = Path(str(resources.files("alerts")))
FOLDERS: Final = ("alerts", "streams/contract")  # whose texts people read
METHODS: Final = [
    ("**/vendor/**", "ignore"),
    ("**.py", "python"),
    ("**.js", "javascript"),
    ("**.html", "surgewatch.reference.catalogues:marked"),
]
KEYWORDS: Final = {
    **dict.fromkeys(("gettext", "_gettext", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_noop"), (1, 2)),
    "pgettext": ((1, "c"), 2),
    **dict.fromkeys(("sentence", "invalid", "missing", "SignInError", "unknown")),
    "refusal": (2,),
}
WIDTH: Final = 110


def marked(
    page: IO[bytes], keywords: object, comment_tags: object, options: object
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the messages of a page, as Babel extracts them."""
    for number, line in enumerate(page.read().decode().splitlines(), start=1):
        yield from ((number, "gettext", found, []) for found in MARKED.findall(line))


def template() -> Catalog:
    """Return every message of the code, in English."""
    found = Catalog(project="surgewatch")
    for folder in FOLDERS:
        for name, _, message, _, context in _extracted(folder):
            found.add(message, locations=[(f"{folder}/{name}", 0)], context=context)
    for question in Question:
        found.add(question.entry.title, locations=[("streams/contract/questions.py", 0)], context="question")
    for text in requests_texts():
        found.add(text, locations=[("alerts/console/requests.py", 0)], context="request")
    return found


def requests_texts() -> Iterator[str]:
    """Yield the texts of the console's forms."""
    for request in REQUESTS:
        yield from (request.title, request.meaning, *(field.label for field in request.fields))
    yield from (field.label for field in WHO)


def _extracted(folder: str) -> Iterable[Any]:
    package = str(resources.files(folder.replace("/", ".")))
    return extract_from_dir(package, method_map=METHODS, keywords=KEYWORDS, directory_filter=lambda _: True)


def updated(code: Code) -> Catalog:
    """Return the catalogue of a language with exactly the messages of the code."""
    known, fresh = catalogue(code), template()
    fresh.creation_date = known.creation_date
    known.update(fresh, no_fuzzy_matching=True)
    known.obsolete.clear()
    return known


def main() -> None:
    """Write the catalogues."""
    for code in CODES:
        if code == "en":
            continue
        text = io.BytesIO()
        write_po(text, updated(code), width=WIDTH, sort_output=True, include_lineno=False)
        (ALERTS / "languages" / f"{code}.po").write_bytes(text.getvalue())


if __name__ == "__main__":
    main()
