"""A Faust app on our transport, with everything of Faust's switched off that is not needed."""

from streams.runtime.faust_credentials import credentials
from streams.runtime.kafka_settings import METADATA_MS
from streams.runtime.membership import HEARTBEATS
from streams.runtime.resuming import Tables
from streams.runtime.settings import WorkerSettings
from streams.runtime.transport import App

FETCH_BYTES = 16 << 20  # of a partition in one poll: with many sectors, few events of each come in one
BATCH_BYTES = 512 << 10  # of a batch on its way to the broker
FETCHES_WAITING = 2  # between consumer and agent: more would only be memory


def faust_app(settings: WorkerSettings, group: str) -> App:
    """The app of a consumer group, under the topic prefix."""
    return App(
        settings.topic(group),
        broker=[f"surgewatch://{server}" for server in settings.kafka.bootstrap],
        broker_credentials=credentials(settings.kafka.security),
        consumer_metadata_max_age_ms=METADATA_MS,
        datadir=str(settings.state_dir / "faust"),
        consumer_group_instance_id=settings.instance or None,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_BYTES,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=BATCH_BYTES * 4,
        broker_max_poll_records=settings.batch_events,
        broker_commit_interval=settings.commit_seconds,
        broker_session_timeout=settings.session_seconds,
        broker_rebalance_timeout=settings.session_seconds * 6,
        broker_heartbeat_interval=settings.session_seconds / HEARTBEATS,
        broker_request_timeout=settings.session_seconds * 2,
        stream_buffer_maxsize=FETCHES_WAITING,
        stream_wait_empty=False,  # what was fetched and not processed is read again by whoever holds it then
        TableManager=Tables,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
