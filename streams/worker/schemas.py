"""The schemas of records that wait to be decoded: asked of the registry once each, and kept.

Ids are for good: what a schema is does not change. A registry that does not answer makes the partition
wait. One that knows no such schema is asked again after a moment, as a follower may lag behind its leader;
then the records are refused, and for a while so are others of that id, without asking. So are those of a
schema by which no event can be read: a registry may give it in another form later.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final

import structlog

from streams.counting.schema_readers import reader_of, refusing
from streams.counting.wire_format import Reader, Schema, SchemaError, schema_id
from streams.worker.schema_registry import RegistryClient, RegistryError

log = structlog.get_logger()

LARGEST: Final = 2**31 - 1  # the id of a schema
AT_ONCE: Final = 8  # requests
LAG: Final = 2.0  # seconds that a follower of the registry's leader may lag behind
REFUSED: Final = 60.0  # seconds for which an id is not asked for again
REMEMBERED: Final = 10_000  # ids that were refused
LONGEST: Final = 2.0  # seconds between two tries


class Schemas:
    """The readers of all schemas that were needed so far, by id."""

    def __init__(self, client: RegistryClient, *, lag: float = LAG, patience: float = REFUSED) -> None:
        self.readers: dict[int, Reader] = {}
        self._client, self._lag, self._patience = client, lag, patience
        self._requests = asyncio.Semaphore(AT_ONCE)
        self._refused: dict[int, float] = {}  # until when, by the monotonic clock
        self._waiting: dict[int, str] = {}  # why, by id

    def prepare(self, records: Sequence[Any]) -> Awaitable[None] | None:
        """Return what to await before records can be decoded; None where nothing is missing."""
        ids = {schema_id(record.value) for record in records if record.value and not record.value[0]}
        missing = {one for one in ids if one is not None and self._is_missing(one)}
        return self._fetch_all(missing) if missing else None

    def problem(self) -> str | None:
        """What records wait for, in words."""
        waits = [f"schema {number}: {reason}" for number, reason in sorted(self._waiting.items())]
        if not waits:
            return None
        return f"records wait for the Schema Registry, and time alone closes no period: {'; '.join(waits)}"

    def _is_missing(self, number: int) -> bool:
        if number in self._refused:
            return self._refused[number] <= time.monotonic()
        return number <= LARGEST and number not in self.readers

    async def _fetch_all(self, ids: Iterable[int]) -> None:
        async with asyncio.TaskGroup() as requests:
            for number in ids:
                requests.create_task(self._fetch(number))

    async def _fetch(self, number: int) -> None:
        """Ask until the registry has answered."""
        delay = 0.5
        try:
            while True:
                try:
                    await self._ask(number)
                    return
                except RegistryError as error:
                    if number not in self._waiting:
                        log.warning("the Schema Registry gives no answer", schema=number, error=str(error))
                    self._waiting[number] = str(error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST)
        finally:
            self._waiting.pop(number, None)

    async def _ask(self, number: int) -> None:
        schema = await self._schema(number)
        if schema is None:
            await asyncio.sleep(self._lag)
            schema = await self._schema(number)
        if schema is None:
            log.warning("the Schema Registry knows no such schema", schema=number)
            self._refuse(number)
            return
        try:
            self.readers[number] = reader_of(schema)
        except SchemaError as error:
            log.warning("no event can be read by this schema", schema=number, error=str(error))
            self._refuse(number)
            self.readers[number] = refusing(str(error))
            return
        self._refused.pop(number, None)
        log.info("schema read", schema=number, kind=schema.kind)

    def _refuse(self, number: int) -> None:
        """Refuse records of a schema for a while."""
        if len(self._refused) >= REMEMBERED:
            for one in self._refused:
                self.readers.pop(one, None)
            self._refused.clear()
        self._refused[number] = time.monotonic() + self._patience

    async def _schema(self, number: int) -> Schema | None:
        async with self._requests:
            return await self._client.schema(number)
