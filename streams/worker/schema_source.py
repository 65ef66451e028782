"""Where the schemas of records come from: a Schema Registry, where one is set up."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from streams.counting.wire_format import Reader
from streams.runtime.flow_spec import Prepare, all_is_there
from streams.runtime.refusals import SetupError
from streams.worker.schema_registry import Answered, RegistryClient
from streams.worker.schema_registry_settings import SchemaRegistrySettings


class SchemaSource(NamedTuple):
    """The readers of schemas by id, what to await for further ones, and what is wrong with that."""

    readers: Mapping[int, Reader] = {}
    prepare: Prepare = all_is_there
    problem: Callable[[], str | None] = lambda: None


@asynccontextmanager
async def schema_source(count: Callable[[Answered], None]) -> AsyncIterator[SchemaSource]:
    """Yield the source that the environment sets up; `count` takes what came of each request.

    Without a registry there is no schema. Raises SetupError.
    """
    settings = SchemaRegistrySettings()
    if not settings.url:
        yield SchemaSource()
        return
    try:
        from streams.worker.schemas import Schemas
    except ImportError as error:
        raise SetupError(
            f"SURGEWATCH_SCHEMA_REGISTRY_URL needs the extra: install surgewatch[registry] ({error})"
        ) from error
    try:
        tls = settings.tls
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"the TLS files of SURGEWATCH_SCHEMA_REGISTRY_* cannot be used: {error}") from error
    async with RegistryClient(settings, tls, count) as client:
        schemas = Schemas(client)
        yield SchemaSource(schemas.readers, schemas.prepare, schemas.problem)
