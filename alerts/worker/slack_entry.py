"""The entry of the routes document for a Slack channel by an app."""

import ipaddress
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from alerts.languages.language import language
from alerts.notices.links import Links
from alerts.sinks.slack.app import API, SlackApp, SlackAppSink
from alerts.worker.sink_network import FromEnvironment, NetworkEntry, Secrets

APIS: Final = (API, "https://slack-gov.com/api/")
BOT, APP = "xoxb-", "xapp-"  # how tokens begin


class SlackAppEntry(NetworkEntry):
    """A Slack channel, by an app whose messages are edited and have buttons.

    `api_url` is Slack's own. A loopback address is for tests; anything else would be given the tokens.
    """

    kind: Literal["slack_app"]
    channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")]
    bot_token: FromEnvironment
    app_token: FromEnvironment
    api_url: str = API

    @field_validator("api_url")
    @classmethod
    def _slacks_own(cls, url: str) -> str:
        if url not in APIS and not is_loopback(url):
            raise ValueError(f"must be one of {', '.join(APIS)}")
        return url

    def sink(self, name: str, links: Links, secret: Secrets) -> SlackAppSink:
        """Return the sink; raises ValueError where a token is none."""
        bot, app = secret(self.bot_token, BOT), secret(self.app_token, APP)
        for what, token, start in (("bot_token", bot, BOT), ("app_token", app, APP)):
            if not token.get_secret_value().startswith(start):
                raise ValueError(f"its {what} does not begin with {start}")
        app_of_workspace = SlackApp(bot, app, self.api_url)
        return SlackAppSink(
            name,
            app_of_workspace,
            self.channel,
            links,
            private=is_loopback(self.api_url),
            language=language(self.language),
        )


def is_loopback(url: str) -> bool:
    """Return whether the host of a URL is a literal address of this machine itself."""
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
