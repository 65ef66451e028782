"""Send what sinks write, each kind of request by its own client."""

from alerts.sinks import AnyRequest, Mail, Outcome, Push, Request, Sink
from alerts.worker.apprise_client import AppriseClient
from alerts.worker.http_client import HttpClient
from alerts.worker.mail_client import send_mail
from alerts.worker.sink_network import Networks


class Sender:
    """Sends requests of every kind. Whatever goes wrong is an outcome."""

    def __init__(self, networks: Networks | None = None) -> None:
        self.http = HttpClient(networks=networks)
        self._apprise = AppriseClient()

    async def send(self, sink: Sink, request: AnyRequest) -> Outcome:
        """Send a request and return what came of it."""
        match request:
            case Request():
                return await self.http.send(sink, request)
            case Mail():
                return await send_mail(sink, request)
            case Push():
                return await self._apprise.send(sink, request)

    async def close(self) -> None:
        """Close all connections."""
        self._apprise.close()
        await self.http.close()
