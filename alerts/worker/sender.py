"""Send what sinks write, each kind of request by its own client."""

from collections.abc import Iterable

from alerts.sinks import AnyRequest, Mail, Outcome, Posting, Push, Request, Sink
from alerts.sinks.slack.app import SlackAppSink
from alerts.worker.apprise_client import AppriseClient
from alerts.worker.http_client import HttpClient
from alerts.worker.mail_client import send_mail
from alerts.worker.sink_network import DIRECT, Networks
from alerts.worker.slack_api import SlackApi


class Sender:
    """Sends to any of these sinks. Made inside the loop that it is used in."""

    def __init__(self, sinks: Iterable[Sink], networks: Networks) -> None:
        self.http = HttpClient(networks=networks)
        self._apprise = AppriseClient()
        self.slack = {
            sink.app: SlackApi(sink.app, networks.get(sink.name, DIRECT))
            for sink in sinks
            if isinstance(sink, SlackAppSink)
        }

    async def send(self, sink: Sink, request: AnyRequest) -> Outcome:
        """Send a request and return what came of it."""
        match sink, request:
            case SlackAppSink(), Posting():
                return await self.slack[sink.app].send(sink, request)
            case _, Request():
                return await self.http.send(sink, request)
            case _, Mail():
                return await send_mail(sink, request)
            case _, Push():
                return await self._apprise.send(sink, request)
        raise TypeError(f"a {type(sink).__name__} takes no {type(request).__name__}")

    async def close(self) -> None:
        """Close all connections."""
        self._apprise.close()
        await self.http.close()
        for api in self.slack.values():
            await api.close()
