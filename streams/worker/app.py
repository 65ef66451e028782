"""The streams worker: encounters in, verdicts and dead letters out; levels in, verdicts on neighbours out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from streams.baselines.calendar import Calendar, CalendarError
from streams.baselines.peer_priors import Likes
from streams.contract.controls import StreamControl, Withdrawn
from streams.contract.sectors import registry
from streams.contract.toml_documents import DocumentError, load
from streams.counting.decoder import Decoder
from streams.judging.judge import Judge
from streams.pipelines.border_pipeline import Regions
from streams.pipelines.sector_pipeline import Pipeline
from streams.runtime import worker
from streams.runtime.broker_monitor import SetupError
from streams.runtime.flow import Flow
from streams.runtime.worker import Worker
from streams.worker.metrics import Metrics, RegionMetrics
from streams.worker.outputs import Outputs, RegionOutputs
from streams.worker.settings import Settings

log = structlog.get_logger()

NEEDED = ("encounters", "encounters.dead", "verdicts", "counts", "levels", "regions", "controls")
KINDS = ("policy", "capacity", "sensitivity")
CONTROL: TypeAdapter[StreamControl] = TypeAdapter(StreamControl)


def hearing(judge: Judge, record: Any) -> None:
    """Take one record of `controls`; kinds that are others' business are passed over."""
    key = (record.key or b"").decode(errors="replace")
    if key.partition("/")[0] not in KINDS:
        return
    if not record.value:
        judge.withdraw(key)
        return
    try:
        control = CONTROL.validate_json(record.value)
    except ValidationError as error:
        log.warning("control not understood", key=key, faults=error.error_count())
        return
    if isinstance(control, Withdrawn):
        judge.withdraw(key)
    else:
        judge.hear(control)


@asynccontextmanager
async def streams_worker() -> AsyncIterator[Worker]:
    """The worker as the environment wants it; raises what `main` calls unusable."""
    settings = Settings()
    sectors = registry(settings.registry)
    dates = Calendar.read(settings.calendar) if settings.calendar else Calendar()
    likes = load(settings.likes, Likes) if settings.likes else None
    judge = Judge(sectors, dates, settings.false_alarms_per_month, likes)
    pipeline = Pipeline(
        sectors,
        judge,
        Decoder(sectors, limit=settings.record_bytes),
        lateness=settings.lateness_seconds,
        dedup=(settings.dedup_ids, settings.dedup_hours),
    )
    metrics = Metrics(sectors)
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot write to SURGEWATCH_STATE_DIR: {error}") from error

    def show() -> None:
        parts = {at: (part.event_time, part.counts.values()) for at, part in pipeline.parts.items()}
        metrics.state(parts, time.time())

    yield Worker(
        settings,
        [
            Flow("encounters", pipeline, "counts", Outputs(settings, sectors), metrics),
            Flow("levels", Regions(sectors), "regions", RegionOutputs(settings), RegionMetrics(metrics)),
        ],
        metrics,
        group="surgewatch-streams",
        needed=NEEDED,
        hear=lambda record: hearing(judge, record),
        show=show,
    )


def main() -> int:
    """Run one worker with the settings of the environment; the exit status."""
    return worker.run(streams_worker, (ValidationError, DocumentError, CalendarError))
