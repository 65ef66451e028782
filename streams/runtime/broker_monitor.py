"""A connection beside the consumer group: is the broker there, what operators ask, how far topics reach.

It shares nothing with the consumer that feeds the pipelines, so that it still sees when that one is stuck.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from confluent_kafka import KafkaError as LibrdkafkaError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported
    AdminClient,
    ConfigResource,
    ResourceType,
)

from streams.runtime.broker_names import wait_for_names
from streams.runtime.hidden_topics import hidden_topics
from streams.runtime.kafka_diagnosis import diagnose
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.readiness import Position
from streams.runtime.reading_positions import positions_of
from streams.runtime.refusals import SetupError
from streams.runtime.started_clients import started

log = structlog.get_logger()

REQUEST_MS = 5000
DENIED: Final = (
    LibrdkafkaError.TOPIC_AUTHORIZATION_FAILED,
    LibrdkafkaError.CLUSTER_AUTHORIZATION_FAILED,
)
UNKNOWN_TOPIC_OR_PART: Final = LibrdkafkaError.UNKNOWN_TOPIC_OR_PART


class Ends(NamedTuple):
    """Where partitions end. Between the two lie records of transactions that are still open."""

    stable: Mapping[Position, int]  # up to where they can be read
    high: Mapping[Position, int]  # up to where the broker has records


class Described(NamedTuple):
    """A topic as the broker describes it."""

    id: str  # which another topic of the same name does not have (KIP-516)
    in_sync: Mapping[int, int]  # by partition: replicas in sync


class BrokerMonitor:
    """Reads `controls` from its beginning, and asks for ends, owners and generations of topics."""

    def __init__(self, kafka: KafkaSettings, controls: str, group: str) -> None:
        self._kafka, self._group = kafka, group
        self._controls = AIOKafkaConsumer(
            controls,  # without a group: all of its partitions, from the beginning
            **kafka.aiokafka,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            request_timeout_ms=REQUEST_MS,
        )
        self._stable = AIOKafkaConsumer(
            **kafka.aiokafka, isolation_level="read_committed", request_timeout_ms=REQUEST_MS
        )
        self._admin: AIOKafkaAdminClient | None = None  # None until started, or where nothing can be asked
        self.read: Mapping[Position, int] = {}  # up to where `controls` are applied
        self._hidden: set[str] = set()  # topics whose settings may not be seen
        self._librdkafka: AdminClient | None = None  # for ids of topics, which aiokafka does not know

    async def start(self, needed: Iterable[str]) -> Mapping[str, set[int]]:
        """Connect; the partitions of topics. Raises SetupError: no broker answers, or topics are missing."""
        await wait_for_names(self._kafka.bootstrap)
        try:
            partitions = await partitions_of(self._kafka, needed)
            await self._controls.start()
            await self._stable.start()
            self._admin = AIOKafkaAdminClient(**self._kafka.aiokafka, request_timeout_ms=REQUEST_MS)
            await self._admin.start()
            return partitions
        except KafkaError as error:
            raise SetupError(await asyncio.to_thread(diagnose, self._kafka, error)) from error

    async def stop(self) -> None:
        """Disconnect."""
        await self._controls.stop()
        await self._stable.stop()
        if self._admin is not None:
            await self._admin.close()

    async def read_standing_controls(self, apply: Callable[[Any], None]) -> None:
        """Apply every control that stands now."""
        ends = await self._controls.end_offsets(self._controls.assignment())
        while any([await self._controls.position(tp) < end for tp, end in ends.items()]):
            await self.read_new_controls(apply)

    async def read_new_controls(self, apply: Callable[[Any], None], timeout: float = 1.0) -> None:
        """Apply what operators asked for since, waiting for it up to `timeout` seconds."""
        fetched = await self._controls.getmany(timeout_ms=int(timeout * 1000))
        for records in fetched.values():
            for record in records:
                apply(record)
        with suppress(TimeoutError):  # a position is being reset
            async with asyncio.timeout(timeout):
                self.read = await positions_of(self._controls)

    async def ends(self, partitions: Iterable[Position]) -> Ends | None:
        """Where these partitions end now, or None while the broker does not answer."""
        asked = [TopicPartition(*at) for at in partitions]
        try:
            high = await self._controls.end_offsets(asked)
            # Asked last: what comes in between must not seem to wait for the end of a transaction.
            stable = await self._stable.end_offsets(asked)
        except KafkaError:
            return None
        return Ends(
            {(tp.topic, tp.partition): end for tp, end in stable.items()},
            {(tp.topic, tp.partition): end for tp, end in high.items()},
        )

    async def records_at(self, offsets: Mapping[Position, int]) -> Mapping[Position, Any]:
        """The records that stand at these offsets; those that are not there (any more) are left out."""
        found: dict[Position, Any] = {}
        if not offsets:
            return found
        consumer = AIOKafkaConsumer(**self._kafka.aiokafka, request_timeout_ms=REQUEST_MS)
        async with started(consumer):
            left = {TopicPartition(*at): offset for at, offset in offsets.items()}
            consumer.assign(list(left))
            ends, beginnings = await consumer.end_offsets(left), await consumer.beginning_offsets(left)
            left = {tp: at for tp, at in left.items() if beginnings[tp] <= at < ends[tp]}
            for tp, offset in left.items():
                consumer.seek(tp, offset)
            deadline = time.monotonic() + REQUEST_MS / 1000
            while left and time.monotonic() < deadline:
                fetched = await consumer.getmany(*left, timeout_ms=1000, max_records=1)
                for tp, records in fetched.items():
                    offset = left.pop(tp)
                    if records and records[0].offset == offset:
                        found[tp.topic, tp.partition] = records[0]
        return found

    async def committed(self, partitions: Iterable[Position]) -> Mapping[Position, int]:
        """The offsets that the worker's group has committed; nothing where the broker does not answer.

        Raises SetupError where the credentials may not see the group.
        """
        asked = [TopicPartition(*at) for at in partitions]  # by name: the embedded broker has no "all"
        try:
            offsets = await self._asked().list_consumer_group_offsets(self._group, partitions=asked)
        except GroupAuthorizationFailedError as error:
            raise SetupError(f"an ACL is missing: READ, DESCRIBE on group {self._group}") from error
        except KafkaError:
            return {}
        return {(tp.topic, tp.partition): max(at.offset, 0) for tp, at in offsets.items()}

    async def owned(self) -> set[Position] | None:
        """The partitions that members of the worker's group have.

        None where the broker does not answer, or while members come and go.
        """
        try:
            (response,) = await self._asked().describe_consumer_groups([self._group])
        except (KafkaError, ValueError):
            return None
        _, _, state, _, _, members = response.groups[0]
        if state != "Stable":
            return None
        return {
            (topic, partition)
            for *_, assignment in members
            for topic, partitions in ConsumerProtocol.ASSIGNMENT.decode(assignment).assignment
            for partition in partitions
        }

    async def described(self, topics: Iterable[str]) -> Mapping[str, Described | None]:
        """Topics as the broker describes them; None where there is no such topic.

        Those that it does not describe (an old broker, the embedded one) are left out.
        """
        return await asyncio.to_thread(self._describe, TopicCollection(list(topics)))

    async def settings(self, topics: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """The settings of topics.

        One of which the broker shows none is left out (the embedded broker, or DESCRIBE_CONFIGS is missing).
        """
        return await asyncio.to_thread(self._topic_settings, list(topics))

    def _topic_settings(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        found: dict[str, dict[str, str]] = {}
        if (client := self._client()) is None:
            return found
        answers = client.describe_configs(asked, request_timeout=REQUEST_MS / 1000)
        for resource, answer in answers.items():
            problem = answer.exception()  # not raised, as below
            if problem is None:
                found[resource.name] = {name: entry.value for name, entry in answer.result().items()}
            elif problem.args[0].code() in DENIED:
                self._hidden.add(resource.name)
        return found

    def hidden_settings(self) -> Sequence[str]:
        """Return the topics whose settings the credentials may not see."""
        return sorted(self._hidden)

    def _client(self) -> AdminClient | None:
        if self._librdkafka is None and self._kafka.security.fits_librdkafka:
            with suppress(KafkaException):  # its certificates are just being replaced
                self._librdkafka = AdminClient(self._kafka.librdkafka)
        return self._librdkafka

    def _describe(self, topics: TopicCollection) -> dict[str, Described | None]:
        found: dict[str, Described | None] = {}
        if (client := self._client()) is None:
            return found
        for topic, answer in client.describe_topics(topics, request_timeout=REQUEST_MS / 1000).items():
            problem = answer.exception()
            if problem is None:
                one = answer.result()
                in_sync = {partition.id: len(partition.isr) for partition in one.partitions}
                found[topic] = Described(str(one.topic_id), in_sync)
            elif problem.args[0].code() == UNKNOWN_TOPIC_OR_PART:
                found[topic] = None
            else:  # not raised: its trace would hold the client, with its threads, until the next collection
                self._librdkafka = None  # the next one reads certificates that have been replaced
        return found

    def _asked(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            raise KafkaError("not connected")
        return self._admin


async def partitions_of(kafka: KafkaSettings, topics: Iterable[str]) -> Mapping[str, set[int]]:
    """The partitions of topics.

    Raises SetupError naming the topics that are missing, or KafkaError where no broker answers.
    """
    wanted = set(topics)
    client = AIOKafkaClient(**kafka.aiokafka, request_timeout_ms=REQUEST_MS)
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    there = {topic: set(cluster.partitions_for_topic(topic) or ()) for topic in wanted}
    missing = sorted(topic for topic, partitions in there.items() if not partitions)
    if missing:
        if hidden := await asyncio.to_thread(hidden_topics, kafka, missing):
            raise SetupError(
                f"{kafka.servers}: {hidden}: `surgewatch topics --as ROLE` names all that is missing"
            )
        raise SetupError(
            f"missing topics at {kafka.servers}: {', '.join(missing)}: make them with `surgewatch topics`"
        )
    return there


def refuse_mismatch(partitions: Mapping[str, set[int]], changelogs: Mapping[str, str]) -> None:
    """Raise SetupError where a changelog does not have as many partitions as its source.

    `changelogs`: names of changelogs by the name of their source.
    """
    wrong = [
        f"{source} has {len(partitions[source])} partitions, {changelog} has {len(partitions[changelog])}"
        for source, changelog in changelogs.items()
        if len(partitions[source]) != len(partitions[changelog])
    ]
    if wrong:
        most = max(len(partitions[topic]) for pair in changelogs.items() for topic in pair)
        raise SetupError(
            f"topics do not fit: {'; '.join(wrong)}. Stop all workers and run "
            f"`surgewatch topics --partitions {most}`, which moves the state"
        )
