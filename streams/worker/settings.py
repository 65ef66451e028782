"""Settings of workers: environment variables, checked once, all faults named together."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streams.contract.questions import DEFAULT_BUDGET
from streams.contract.sectors import SHIPPED
from streams.runtime.settings import File, WorkerSettings


class Settings(WorkerSettings):
    """Settings of the streams worker."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        9101, validation_alias="SURGEWATCH_STREAMS_PORT", description="port of metrics and health"
    )
    registry: Path = Field(SHIPPED, description="TOML registry of sectors")
    calendar: File = Field(None, description="CSV calendar of holidays, policy dates and closures")
    peer_priors: File = Field(
        None,
        description="TOML of what is normal in like sectors, for new ones (`surgewatch learn-priors`)",
    )
    lateness_seconds: Annotated[int, Field(ge=0, le=366 * 86_400)] = Field(
        0, description="how long a period is held open beyond its end, in event time"
    )
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)] = Field(
        DEFAULT_BUDGET, description="the budget: false alarms that are accepted per sector and month"
    )
    dedup_ids: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        20_000, description="event ids remembered per sector, so that a duplicate counts once"
    )
    dedup_hours: Annotated[int, Field(gt=0, le=10 * 366 * 24)] = Field(
        72, description="event time for which ids are remembered, where they are not too many"
    )
    record_bytes: Annotated[int, Field(ge=1_024, le=1_000_000)] = Field(
        16_384, description="largest event that is accepted"
    )
