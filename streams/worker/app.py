"""The streams worker: encounters in, verdicts and dead letters out; summaries in, verdicts on borders out."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError

from streams.baselines.calendar import Calendar, CalendarError
from streams.baselines.peer_priors import PeerPriors
from streams.contract.controls import Names
from streams.contract.sectors import Registry, registry
from streams.contract.toml_documents import DocumentError, load
from streams.contract.verdicts import Question
from streams.counting.decoder import Decoder
from streams.counting.placement import Home
from streams.judging.judge import Judge
from streams.pipelines.border_pipeline import BorderPipeline
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.runtime.environment import refuse_unknown
from streams.runtime.flow_spec import FlowSpec
from streams.runtime.process import run
from streams.runtime.readiness import NotReady
from streams.runtime.worker import Worker
from streams.worker.control_records import apply_control
from streams.worker.metrics import BorderMetrics, Metrics
from streams.worker.outputs import BorderPublisher, VerdictPublisher
from streams.worker.schema_source import SchemaSource, schema_source
from streams.worker.settings import Settings

BUDGET = 50  # periods that are judged before the event loop turns
BORDER_BUDGET = 5  # the same of a border, where a period takes ten times as long
NEEDED = ("encounters", "encounters.dead", "verdicts", "counts", "summaries", "borders", "controls")


@asynccontextmanager
async def streams_worker() -> AsyncIterator[Worker]:
    """Make the worker from the environment; raises an error that `main` reports."""
    refuse_unknown(os.environ, Settings)
    settings = Settings()
    sectors = registry(settings.registry)
    metrics = Metrics(sectors)
    settings.make_state_dir()
    async with schema_source(metrics.schema) as schemas:
        yield _worker(settings, sectors, metrics, schemas)


def _worker(settings: Settings, sectors: Registry, metrics: Metrics, schemas: SchemaSource) -> Worker:
    judge = _judge(settings, sectors)
    decoder = Decoder(sectors, limit=settings.record_bytes, readers=schemas.readers)
    pipeline = _pipeline(
        settings, sectors, judge=judge, decoder=decoder, home=lambda sector: worker.home("encounters", sector)
    )
    names = Names(sectors=frozenset(sectors.by_id), questions=frozenset(Question))

    def show() -> None:
        parts = {at: (held.event_time, held.counts.values()) for at, held in pipeline.partitions.items()}
        metrics.state(parts, worker.now(), judge.data_status)

    worker = Worker(
        settings,
        [
            FlowSpec(
                "encounters", pipeline, "counts", VerdictPublisher(settings), metrics, prepare=schemas.prepare
            ),
            _of_borders(settings, sectors, metrics),
        ],
        metrics.runtime,
        group="surgewatch-streams",
        needed=NEEDED,
        on_control=lambda record: apply_control(judge, names, record, on_unusable=metrics.unusable),
        show=show,
        problems=lambda: {NotReady.SCHEMA_UNAVAILABLE: schemas.problem()},
        about={"sectors": len(sectors.sector)},
    )
    return worker


def _pipeline(
    settings: Settings, sectors: Registry, *, judge: Judge, decoder: Decoder, home: Home
) -> SectorPipeline:
    return SectorPipeline(
        sectors,
        judge,
        decoder,
        lateness=settings.lateness_seconds,
        dedup=(settings.dedup_ids, settings.dedup_hours),
        wall_clock=settings.clock == "wall",
        budget=BUDGET,
        home=home,
    )


def _of_borders(settings: Settings, sectors: Registry, metrics: Metrics) -> FlowSpec:
    return FlowSpec(
        "summaries",
        BorderPipeline(sectors, BORDER_BUDGET, false_alarms_per_month=settings.false_alarms_per_month),
        "borders",
        BorderPublisher(settings),
        BorderMetrics(metrics),
        upstream="encounters",
        on_any_clock=True,
    )


def _judge(settings: Settings, sectors: Registry) -> Judge:
    dates = Calendar.read(settings.calendar, frozenset(sectors.by_id)) if settings.calendar else Calendar()
    peer_priors = load(settings.peer_priors, PeerPriors) if settings.peer_priors else None
    return Judge(
        sectors, dates, false_alarms_per_month=settings.false_alarms_per_month, peer_priors=peer_priors
    )


def main(*, check: bool = False) -> int:
    """Run one worker with the settings of the environment, or only check them; return its exit status."""
    return run(streams_worker, (ValidationError, DocumentError, CalendarError), check=check)
