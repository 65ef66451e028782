"""Refuse environment variables that nobody reads: a typing error must not pass for a setting."""

from collections.abc import Iterable, Mapping

from pydantic_settings import BaseSettings

from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.refusals import SetupError, refuse_names

PREFIX = "SURGEWATCH_"
# Read by the commands, the other worker, deployment files and tests. Workers of one host often share an
# environment, so each must know the names of the other. A test holds this list to the settings models.
ELSEWHERE = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "ALERTS_PORT", "ALERTS_URL", "ALLOW_PRIVATE", "API_VERSION", "BENCH", "CACHE", "CALENDAR",
        "CONSOLE_ACCESS", "CONSOLE_HOSTS", "CONSOLE_LANGUAGE", "CONSOLE_SESSION_KEY", "CONSOLE_TOKEN",
        "CONSOLE_URL", "DATA", "DEDUP_HOURS", "DEDUP_IDS",
        "FALSE_ALARMS_PER_MONTH", "GIVE_UP_HOURS", "GRAFANA_URL", "KAFKA", "KAFKA_FILE", "LATENESS_SECONDS",
        "PEER_PRIORS", "POLICIES", "RECORD_BYTES", "REGISTRY", "REQUIRE_BROWSER", "REQUIRE_HELM",
        "REQUIRE_IMAGE", "REQUIRE_KAFKA", "REQUIRE_KERBEROS", "REQUIRE_PROMETHEUS", "ROUTES",
        "SCHEMA_REGISTRY_CA_FILE", "SCHEMA_REGISTRY_CERTIFICATE_FILE", "SCHEMA_REGISTRY_KEY_FILE",
        "SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PROXY", "SCHEMA_REGISTRY_TOKEN",
        "SCHEMA_REGISTRY_URL", "SCHEMA_REGISTRY_USERNAME", "SLACK_URL", "STREAMS_PORT", "TOKEN",
        "VERSION", "WEBHOOK_SECRET", "WEBHOOK_URL",
    )
)  # fmt: skip


def variables(model: type[BaseSettings]) -> set[str]:
    """Every environment variable that a settings model reads."""
    prefix = model.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper() for name, field in model.model_fields.items()
    }


def refuse_other_text(environment: Mapping[str, str]) -> None:
    """Raise SetupError naming every SURGEWATCH_* variable whose value is not UTF-8: nothing can read that."""
    wrong = sorted(
        name
        for name, value in environment.items()
        if name.startswith(PREFIX) and any("\ud800" <= character <= "\udfff" for character in value)
    )
    if wrong:
        raise SetupError(f"not UTF-8: {', '.join(wrong)}")


def refuse_unknown(
    environment: Mapping[str, str], model: type[BaseSettings], further: Iterable[str] = ()
) -> None:
    """Raise SetupError naming every SURGEWATCH_* variable that nobody reads, with the nearest known name.

    `further`: names that a document of the operator's refers to, such as secrets of sinks.
    """
    known = {*variables(model), *variables(KafkaSecurity), *ELSEWHERE, *further}
    refuse_names((name for name in environment if name.startswith(PREFIX)), known, prefix=PREFIX)
