"""Watch the documents that are read at start alone: routes, policies and sectors.

A document that is broken while the worker runs changes nothing until a restart, which it would stop. So it is
named when it is broken, and not in the night of the restart.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from alerts.lifecycle.policies import policies
from alerts.worker.routes_document import RoutesError, configured
from alerts.worker.settings import Settings
from streams.contract.sectors import registry
from streams.contract.toml_documents import DocumentError, version

log = structlog.get_logger()

SECONDS: Final = 5.0  # between two looks


class Document(NamedTuple):
    """A document, and how the start reads it: `read` raises DocumentError or RoutesError."""

    path: Path
    read: Callable[[], object]


def documents(settings: Settings) -> dict[str, Document]:
    """Return the documents that the settings name, by what they are about."""
    found = {
        "policies": Document(settings.policies, lambda: policies(settings.policies)),
        "sectors": Document(settings.registry, lambda: registry(settings.registry)),
    }
    if settings.routes is not None:
        found["routes"] = Document(settings.routes, lambda: configured(settings))
    return found


class Documents:
    """Which documents the next start would refuse, and why: `unusable`, by document."""

    def __init__(self, watched: Mapping[str, Document]) -> None:
        self.watched = watched
        self._versions = {name: version(document.path) for name, document in watched.items()}
        self.unusable: dict[str, str] = {}

    async def follow(self) -> None:
        """Look at the files again and again."""
        while True:
            await asyncio.sleep(SECONDS)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the documents whose files have changed."""
        for name, document in self.watched.items():
            found = version(document.path)
            if found != self._versions[name]:
                self._versions[name] = found
                self._read(name, document)

    def _read(self, name: str, document: Document) -> None:
        try:
            document.read()
        except (DocumentError, RoutesError) as error:
            self.unusable[name] = "; ".join(str(error).splitlines())
            text = "document cannot be used, the one before stays in force; the next start would be refused"
            log.error(text, document=name, error=self.unusable[name])
        else:
            self.unusable.pop(name, None)
            log.info("document has changed, a restart puts it in force", document=name)
