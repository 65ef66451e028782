"""Ask a Schema Registry for schemas, over the REST API that Confluent's, Apicurio's and Karapace's share."""

import ssl
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from streams.counting.wire_format import Schema
from streams.runtime.http_errors import without_secrets
from streams.worker.schema_registry_settings import SchemaRegistrySettings

TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
NOT_FOUND: Final = frozenset({40401, 40402, 40403})  # error codes: no such subject, version, schema
ACCEPT: Final = "application/vnd.schemaregistry.v1+json, application/json"
DEEPEST: Final = 16  # references of references
LONGEST: Final = 4 << 20  # bytes of an answer, unpacked


class Answered(StrEnum):
    """What came of one request: the bounded label of a metric."""

    FOUND = "found"
    UNKNOWN = "unknown"
    FAILED = "failed"


class RegistryError(RuntimeError):
    """The registry gave no response that decides whether there is a schema. The message names the reason."""


class _Reference(BaseModel):
    name: str
    subject: str
    version: int


class _Answer(BaseModel):
    text: str = Field(alias="schema")
    given_kind: str | None = Field(None, alias="schemaType")
    given_references: list[_Reference] | None = Field(None, alias="references")

    @property
    def kind(self) -> str:
        """The kind of schema. Registries leave out that of Avro, or send null."""
        return self.given_kind or "AVRO"

    @property
    def references(self) -> list[_Reference]:
        """Those that it refers to; where there are none, some registries send null."""
        return self.given_references or []


class RegistryClient:
    """A client of one registry; an asynchronous context. `count` takes what came of each request."""

    def __init__(
        self, settings: SchemaRegistrySettings, tls: ssl.SSLContext, count: Callable[[Answered], None]
    ) -> None:
        self._settings, self._tls, self._count = settings, tls, count

    async def __aenter__(self) -> Self:
        settings = self._settings
        headers = {"Accept": ACCEPT}
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        if settings.password:
            login = aiohttp.encode_basic_auth(settings.username, settings.password.get_secret_value())
            headers["Authorization"] = login
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls), headers=headers, timeout=TIMEOUT
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def schema(self, number: int) -> Schema | None:
        """Return the schema of an id with those that it refers to, or None where there is no such schema.

        Raises RegistryError.
        """
        return await self._schema(f"/schemas/ids/{number}", name="", depth=0)

    async def _schema(self, path: str, *, name: str, depth: int) -> Schema | None:
        if depth > DEEPEST:
            raise RegistryError("schemas refer to each other without end")
        answer = await self._get(path)
        if answer is not None and answer.kind == "PROTOBUF":  # the text would have to be compiled
            answer = await self._get(f"{path}?format=serialized")
        if answer is None:
            return None
        references = []
        for one in answer.references:
            place = f"/subjects/{quote(one.subject, safe='')}/versions/{one.version}"
            schema = await self._schema(place, name=one.name, depth=depth + 1)
            if schema is None:
                raise RegistryError(f"{one.subject}, version {one.version}, is referred to, but not there")
            references.append(schema)
        return Schema(answer.kind, answer.text, name, tuple(references))

    async def _get(self, path: str) -> _Answer | None:
        try:
            found = await self._request(path)
        except RegistryError:
            self._count(Answered.FAILED)
            raise
        self._count(Answered.UNKNOWN if found is None else Answered.FOUND)
        return found

    async def _request(self, path: str) -> _Answer | None:
        proxy = self._settings.proxy
        try:
            async with self._session.get(
                f"{self._settings.url.rstrip('/')}{path}",
                allow_redirects=False,
                proxy=proxy.get_secret_value() if proxy else None,
            ) as response:
                content = await _read(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RegistryError(without_secrets(error)) from error
        if response.status == 200:
            try:
                return _Answer.model_validate_json(content)
            except ValidationError as error:
                raise RegistryError("its answer is no schema") from error
        if response.status == 404 and _error_code(content) in NOT_FOUND:
            return None
        raise RegistryError(f"status {response.status}")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the content of a response; raises RegistryError where it is too long to be a schema."""
    found = bytearray()
    async for part in response.content.iter_any():
        found += part
        if len(found) > LONGEST:
            raise RegistryError("its answer is too long for a schema")
    return bytes(found)


class _Error(BaseModel):
    error_code: int


def _error_code(content: bytes) -> int | None:
    try:
        return _Error.model_validate_json(content).error_code
    except ValidationError:
        return None  # not the registry's own answer: a proxy's, or the URL is wrong
