"""Topics that the credentials in use may not see. A broker lists them as if they were not there."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.runtime.kafka_settings import KafkaSettings

TIMEOUT = 5.0  # seconds


def hidden_topics(kafka: KafkaSettings, names: Sequence[str]) -> str | None:
    """Return in a sentence which of these topics may not be seen, whether they exist or not; None: all may.

    Blocks for some seconds at most.
    """
    if not names or not kafka.security.fits_librdkafka:
        return None
    client = AdminClient(kafka.librdkafka)
    answers = client.describe_topics(TopicCollection(list(names)), request_timeout=TIMEOUT)
    hidden = sorted(name for name, answer in answers.items() if _is_refused(answer.exception()))
    return f"an ACL is missing: DESCRIBE on topic {', '.join(hidden)}" if hidden else None


def _is_refused(error: BaseException | None) -> bool:
    return isinstance(error, KafkaException) and bool(
        error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    )
