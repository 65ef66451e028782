"""Close connections on which a broker does not answer in time, as they may be half open.

Where a machine or a firewall between vanishes, a connection stays open at our end alone. aiokafka
closes it after a request that is not answered, except for requests for metadata: a client would ask on the
same connection until it has been idle for nine minutes. A class of aiokafka is replaced, by name, for all
clients of the process.
"""

from collections.abc import Awaitable
from typing import Any

from aiokafka import conn


class _Connection(conn.AIOKafkaConnection):  # type: ignore[misc] # untyped
    """A connection that is closed where an answer does not come in time."""

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        sent: Awaitable[Any] = super().send(request, expect_response)
        return self._answer(sent) if expect_response else sent

    async def _answer(self, sent: Awaitable[Any]) -> Any:
        try:
            return await sent
        except TimeoutError:
            self.close(reason=conn.CloseReason.CONNECTION_TIMEOUT)
            raise


def close_unanswered() -> None:
    """From now on clients of this process close such connections. Call it before any of them connects."""
    conn.AIOKafkaConnection = _Connection
