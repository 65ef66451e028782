"""Clients of Kafka that run for as long as a block does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar


class Client(Protocol):
    """What aiokafka's consumers and producers have in common."""

    async def start(self) -> Any:
        """Connect; raises KafkaError."""

    async def stop(self) -> Any:
        """Disconnect."""


C = TypeVar("C", bound=Client)


@asynccontextmanager
async def started(client: C) -> AsyncIterator[C]:
    """Start a client, and stop it in the end: also one whose start fails, which has connections and tasks."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()
