"""A Schema Registry: what producers and workers use of Confluent's REST API, with its error codes."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from surgewatch.harness.apache_kafka import free_port

Answer = tuple[int, dict[str, Any]]


def missing(code: int, message: str) -> Answer:
    return 404, {"error_code": code, "message": message}


@dataclass
class SchemaRegistry:
    """Registered schemas, and what was asked. It keeps its port when it is stopped and started again."""

    login: str = ""  # user:password, where it asks for them
    token: str = ""  # of a bearer, where it asks for one
    tls: ssl.SSLContext | None = None
    port: int = field(default_factory=free_port)
    schemas: list[dict[str, Any]] = field(default_factory=list)  # the id of each is its place, from 1
    subjects: dict[str, list[int]] = field(default_factory=dict)  # their versions
    asked: list[str] = field(default_factory=list)
    status: int = 0  # answered in place of all else

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def register(self, kind: str, schema: str, subject: str = "encounters", **more: Any) -> int:
        """Register a schema as its next version of a subject; return its id."""
        found = {"schemaType": kind, "schema": schema, **more}
        if found not in self.schemas:
            self.schemas.append(found)
        number = self.schemas.index(found) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def get(self, path: list[str], form: str) -> Answer:
        """Answer GET."""
        match path:
            case ["schemas", "ids", number]:
                if not number.isdigit() or not 0 < int(number) <= len(self.schemas):
                    return missing(40403, f"Schema {number} not found")
                return 200, self._shown(int(number), form)
            case ["subjects", subject, "versions", version]:
                if subject not in self.subjects:
                    return missing(40401, f"Subject '{subject}' not found.")
                versions = self.subjects[subject]
                if not 0 < int(version) <= len(versions):
                    return missing(40402, f"Version {version} not found.")
                number = versions[int(version) - 1]
                return 200, {
                    "subject": subject, "version": int(version), "id": number, **self._shown(number, form)
                }  # fmt: skip
        return missing(404, "HTTP 404 Not Found")

    def _shown(self, number: int, form: str) -> dict[str, Any]:
        """A schema as it is answered: the type of Avro is left out, and Protobuf is text if not asked for."""
        shown = dict(self.schemas[number - 1])
        if shown["schemaType"] == "AVRO":
            del shown["schemaType"]
        if shown["schemaType" if "schemaType" in shown else "schema"] == "PROTOBUF" and form != "serialized":
            shown["schema"] = 'syntax = "proto3";'
        return shown

    def post(self, path: list[str], content: dict[str, Any]) -> Answer:
        """Answer POST."""
        match path:
            case ["subjects", subject, "versions"]:
                kind, schema = content.pop("schemaType", "AVRO"), content.pop("schema")
                return 200, {"id": self.register(kind, schema, subject, **content)}
        return missing(404, "HTTP 404 Not Found")

    def admits(self, authorization: str | None) -> bool:
        if self.token:
            return authorization == f"Bearer {self.token}"
        return not self.login or authorization == f"Basic {base64.b64encode(self.login.encode()).decode()}"

    @contextmanager
    def serving(self) -> Iterator["SchemaRegistry"]:
        """Answer for as long as the block runs."""
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                registry.asked.append(self.path)
                form = parse_qs(url.query).get("format", [""])[0]
                self._answer(registry.get(self._path(), form))

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(registry.post(self._path(), content))

            def _path(self) -> list[str]:
                return [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]

            def _answer(self, answer: Answer) -> None:
                status, body = answer
                if registry.status:
                    status, body = registry.status, {"error_code": 50001, "message": "the store failed"}
                if not registry.admits(self.headers.get("Authorization")):
                    status, body = 401, {"error_code": 401, "message": "Unauthorized"}
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                """Requests are kept, not printed."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
