"""Grant the ACLs that a role needs, and find which of them are missing."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.contract.access import LEAST, Access, Role
from streams.producers.kafka_client import Broker, BrokerError

TIMEOUT = 10.0  # seconds
PAUSE = 0.5  # seconds between two tries
REFUSED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)
ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND)


def allow(broker: Broker, principal: str, accesses: Iterable[Access]) -> None:
    """Allow a principal these operations, from any host; raises KafkaException."""
    bindings = [
        AclBinding(
            ResourceType[access.resource.upper()],
            access.name,
            ResourcePatternType.LITERAL,
            principal,
            "*",
            AclOperation[operation],
            AclPermissionType.ALLOW,
        )
        for access in accesses
        for operation in access.operations
    ]
    admin = AdminClient(broker.kafka.librdkafka)
    for granted in admin.create_acls(bindings, request_timeout=TIMEOUT).values():
        granted.result()


def missing_access(broker: Broker, role: Role, prefix: str) -> list[str]:
    """Return a sentence for each missing operation of a role, and for each topic that is not there."""
    admin = AdminClient(broker.kafka.librdkafka)
    needed = LEAST[role]
    names = {
        kind: [prefix + one.name for one in needed if one.resource == kind] for kind in ("topic", "group")
    }
    topics = partial(
        admin.describe_topics,
        TopicCollection(names["topic"]),
        include_authorized_operations=True,
        request_timeout=TIMEOUT,
    )
    groups = partial(
        admin.describe_consumer_groups,
        names["group"],
        include_authorized_operations=True,
        request_timeout=TIMEOUT,
    )
    granted = {"topic": _granted(topics), "group": _granted(groups) if names["group"] else {}}
    return list(_missing(needed, granted, prefix))


def _granted(describe: Callable[[], Mapping[str, Future[Any]]]) -> dict[str, set[str] | None]:
    """Operations by name; None for what is not there. Raises BrokerError where the broker does not show them.

    Tries for a while: a broker that has just started has no coordinator of groups yet.
    """
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return {name: _operations(answer) for name, answer in describe().items()}
        except KafkaException as error:
            if time.monotonic() > deadline:
                problem = error.args[0]
                raise BrokerError(
                    f"the broker does not show what is allowed: {problem.name()} {problem.str()}"
                ) from error
        time.sleep(PAUSE)


def _operations(answer: Future[Any]) -> set[str] | None:
    try:
        return {operation.name for operation in answer.result().authorized_operations or ()}
    except KafkaException as error:
        if (code := error.args[0].code()) in ABSENT:
            return None
        if code in REFUSED:
            return set()
        raise


def _missing(
    needed: Iterable[Access], granted: Mapping[str, Mapping[str, set[str] | None]], prefix: str
) -> Iterable[str]:
    for access in needed:
        name = prefix + access.name
        allowed = granted[access.resource][name]
        if allowed is None:  # the broker shows no operations on it
            if access.resource == "topic":
                yield f"topic {name} is not there, so its ACLs cannot be seen: run `surgewatch topics` first"
        elif lacking := [one for one in access.operations if one not in allowed]:
            yield f"an ACL is missing: {', '.join(lacking)} on {access.resource} {name}"
