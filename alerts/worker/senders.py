"""How each kind of sink is reached: by HTTP requests, or as an app of Slack."""

from collections.abc import Iterable

from alerts.sinks import HttpSink, Outcome, Posting, Request, Sink
from alerts.sinks.slack.app import SlackAppSink
from alerts.worker.http_client import HttpClient
from alerts.worker.slack_api import SlackApi


class Senders:
    """Sends to any of these sinks. Made inside the loop that it is used in."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self._http = HttpClient()
        self.slack = {sink.app: SlackApi(sink.app) for sink in sinks if isinstance(sink, SlackAppSink)}

    async def send(self, sink: Sink, request: Request | Posting) -> Outcome:
        """Send, and return what came of it; raises TypeError where the sink does not take such a request."""
        match sink, request:
            case SlackAppSink(), Posting():
                return await self.slack[sink.app].send(sink, request)
            case HttpSink(), Request():
                return await self._http.send(sink, request)
        raise TypeError(f"a {type(sink).__name__} takes no {type(request).__name__}")

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()
        for api in self.slack.values():
            await api.close()
