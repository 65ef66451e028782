"""Settings of every worker: environment variables, checked once, all faults named together."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.runtime.kafka_settings import KafkaSettings, known_servers
from streams.runtime.public_addresses import known_url
from streams.runtime.refusals import SetupError

SHARED: Final = ("encounters", "controls")  # topics that a shadow reads too
KAFKA_NAME: Final = Field(pattern="^[A-Za-z0-9._-]*$", max_length=150)  # of topics, groups and members
LONGEST_URL: Final = 240  # characters, so that messages with several links stay within what Slack takes
Url = Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(known_url)]  # or empty
File = Annotated[Path | None, BeforeValidator(lambda given: given or None)]  # set but empty: none
Secret = Annotated[SecretStr | None, BeforeValidator(lambda given: _of_file(given) or None)]  # so too


def _of_file(secret: object) -> object:
    """Return a secret without the line break that ends the file it was made of."""
    return secret.strip("\r\n") if isinstance(secret, str) else secret


class WorkerSettings(BaseSettings):
    """Settings that every worker has. Every field is `SURGEWATCH_<NAME>`, but for the port."""

    model_config = SettingsConfigDict(env_prefix="SURGEWATCH_", extra="ignore", frozen=True)

    brokers: Annotated[str, AfterValidator(known_servers)] = Field(
        "localhost:9092", description="Kafka, as host:port, several with commas"
    )
    topic_prefix: Annotated[str, KAFKA_NAME] = Field(
        "", description="stands before every topic and consumer group"
    )
    events_prefix: Annotated[str | None, KAFKA_NAME] = Field(
        None,
        description="stands before `encounters` and `controls` in place of that: a shadow reads live ones",
    )
    state_dir: Path = Field(Path("state"), description="where local copies of state are kept")
    store: Literal["memory", "rocksdb"] = Field(
        "memory", description="local copy of state: none (recovery reads the changelog), or RocksDB"
    )
    instance: Annotated[str, KAFKA_NAME] = Field(
        "", description="name in the consumer group: a worker that restarts under it gets the same partitions"
    )
    metrics_host: str = Field("127.0.0.1", description="address that metrics and health are served on")
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    clock: Literal["wall", "event"] = Field(
        "wall",
        description="what moves event time where nothing comes: the wall's clock, or events only (replay)",
    )
    batch_events: Annotated[int, Field(gt=0, le=1_000_000)] = Field(
        100_000, description="most records processed at once"
    )
    commit_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0, description="between commits of state and offsets (longer under load, where commits take long)"
    )
    session_seconds: Annotated[float, Field(ge=6, le=1_800)] = Field(
        10.0, description="after which the group declares a silent worker dead"
    )
    watchdog_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        60.0, description="without progress although there are records: the worker ends itself"
    )
    heartbeat_url: Secret = Field(
        None, description="requested every minute while the worker is ready: a dead man's switch"
    )
    heartbeat_proxy: Secret = Field(None, description="http(s) address of an egress proxy for it")
    heartbeat_allow_private: bool = Field(False, description="whether it may be at a private address")

    @cached_property
    def kafka(self) -> KafkaSettings:
        """How Kafka clients of this worker are set up."""
        return KafkaSettings(self.brokers)

    def make_state_dir(self) -> None:
        """Make the folder of local copies. Raises SetupError where it cannot be written to."""
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"cannot write to SURGEWATCH_STATE_DIR: {error}") from error
        if not os.access(self.state_dir, os.W_OK | os.X_OK):
            raise SetupError(
                f"cannot write to SURGEWATCH_STATE_DIR: {self.state_dir} is read-only for this user"
            )

    def topic(self, name: str) -> str:
        """A topic's name in the broker."""
        is_shared = self.events_prefix is not None and name in SHARED
        return f"{self.events_prefix if is_shared else self.topic_prefix}{name}"
