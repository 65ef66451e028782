"""Wait for the name server of a host that has just been started, before Kafka is connected to."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

import structlog

from streams.runtime.kafka_settings import host_and_port

log = structlog.get_logger()

PAUSE: Final = 5.0  # seconds


async def wait_for_names(servers: Sequence[str], pause: float = PAUSE) -> None:
    """Return once the name server answers for one of these host:port, be it that there is no such name.

    A name that is not there is for a person to mend, and found when Kafka is connected to. A name server
    that does not answer mends itself: nobody has to start the worker again.
    """
    while not any(await asyncio.gather(*map(_is_answered, servers))):
        log.warning("name server does not answer, trying again", servers=list(servers))
        await asyncio.sleep(pause)


async def _is_answered(server: str) -> bool:
    host, _ = host_and_port(server)
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except socket.gaierror as error:
        return error.errno != socket.EAI_AGAIN
    except UnicodeError:
        return True
    return True
