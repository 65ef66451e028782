"""Settings of workers: environment variables, checked once, all faults named together."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.sectors import SHIPPED


class WorkerSettings(BaseSettings):
    """What every worker has to be told. Every field is `SURGEWATCH_<NAME>`, but for the port."""

    model_config = SettingsConfigDict(env_prefix="SURGEWATCH_", extra="ignore", frozen=True)

    brokers: str = Field("localhost:9092", description="Kafka, as host:port, several with commas")
    topic_prefix: str = Field("", description="stands before every topic and consumer group")
    state_dir: Path = Field(Path("state"), description="where local copies of state are kept")
    store: Literal["memory", "rocksdb"] = Field(
        "memory", description="local copy of state: none (recovery reads the changelog), or RocksDB"
    )
    instance: str = Field("", description="static member id of the consumer group: no rebalance at a restart")
    metrics_host: str = Field("127.0.0.1", description="address that metrics and health are served on")
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    clock: Literal["wall", "event"] = Field(
        "wall",
        description="what moves event time where nothing comes: the wall's clock, or events only (replay)",
    )
    batch_events: Annotated[int, Field(gt=0)] = Field(100_000, description="most records taken at once")
    commit_seconds: Annotated[float, Field(gt=0)] = Field(
        2.0, description="between commits of state and offsets (longer under load, where commits take long)"
    )
    session_seconds: Annotated[float, Field(ge=6)] = Field(
        10.0, description="after which the group takes a silent worker for dead"
    )
    patience_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="without progress although there are records: the worker ends itself"
    )

    def topic(self, name: str) -> str:
        """A topic's name in the broker."""
        return f"{self.topic_prefix}{name}"


class Settings(WorkerSettings):
    """What the streams worker has to be told."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        9101, validation_alias="SURGEWATCH_STREAMS_PORT", description="port of metrics and health"
    )
    registry: Path = Field(SHIPPED, description="TOML registry of sectors")
    calendar: Path | None = Field(None, description="CSV calendar of holidays and policy dates")
    likes: Path | None = Field(
        None,
        description="TOML of what is normal in like sectors, for those that are new (`surgewatch likes`)",
    )
    lateness_seconds: Annotated[int, Field(ge=0)] = Field(
        0, description="how long a period is held open beyond its end, in event time"
    )
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)] = Field(
        0.05, description="the budget: false alarms that are accepted per sector and month"
    )
    dedup_ids: Annotated[int, Field(ge=0)] = Field(
        20_000, description="event ids remembered per sector, so that a duplicate counts once"
    )
    dedup_hours: Annotated[int, Field(gt=0)] = Field(
        72, description="event time for which ids are remembered, where they are not too many"
    )
    record_bytes: Annotated[int, Field(ge=1024)] = Field(16_384, description="largest event that is accepted")
