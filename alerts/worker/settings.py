"""Settings of the alerts worker: environment variables, checked once, all faults named together."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from alerts.languages.language import Code
from alerts.lifecycle.policies import SHIPPED
from streams.contract.sectors import SHIPPED as SECTORS
from streams.runtime.settings import File, Secret, Url, WorkerSettings


class Settings(WorkerSettings):
    """What the alerts worker needs to know."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        9102, validation_alias="SURGEWATCH_ALERTS_PORT", description="port of metrics, health and console"
    )
    registry: Path = Field(SECTORS, description="TOML registry of sectors")
    policies: Path = Field(SHIPPED, description="TOML policies: which verdicts become alerts")
    routes: File = Field(None, description="TOML routes: which alerts go to which sinks")
    console_url: Url = Field(
        "", description="where links in messages lead to: the console as people reach it"
    )
    grafana_url: Url = Field(
        "", description="Grafana as people reach it: messages then link to dashboards and runbooks"
    )
    console_hosts: str = Field(
        "", description="further host names of the console, by comma, beside localhost and that of its URL"
    )
    console_language: Code = Field("en", description="language of the console: en, fr or es")
    console_token: Secret = Field(
        None, description="shared bearer token that may do everything and has no name"
    )
    console_access: File = Field(
        None,
        description="TOML access document: API clients, authenticating proxy, roles; unset: everybody reads",
    )
    console_session_key: Secret = Field(
        None,
        description="signs the sessions of people; unset: one of each worker, until it ends",
    )
    webhook_url: str = Field("", description="a webhook for every notice, beside the routes")
    webhook_secret: Secret = Field(None, description="its Standard Webhooks secret (whsec_…)")
    slack_url: Secret = Field(None, description="a Slack incoming webhook for every notice")
    allow_private: bool = Field(False, description="whether the two above may be at private addresses")
    give_up_hours: Annotated[float, Field(gt=0, le=366 * 24)] = Field(
        72.0, description="hours of tries after which a notice becomes a dead letter"
    )
