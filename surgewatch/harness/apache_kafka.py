"""A real Apache Kafka on this machine, without Docker: jars from Maven Central, one combined KRaft node.

For tests, torture and benchmarks. It needs Java 17 and Maven (the latter only until the jars are cached).
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "4.1.1"
LOGGER = "2.25.2"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>surgewatch</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOGGER}</version>
    </dependency>
  </dependencies>
</project>
"""
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{more}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{protocols}
log.dirs={logs}
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
HEAP = "-Xmx1g"


class BrokerUnavailableError(RuntimeError):
    """No Kafka can be run here; the message names what is missing."""


def cache() -> Path:
    """Where the jars are kept between runs."""
    return Path(os.environ.get("SURGEWATCH_CACHE", "~/.cache/surgewatch")).expanduser()


def jars() -> Path:
    """The folder of Kafka's jars, fetched from Maven Central once; raises BrokerUnavailableError."""
    if not shutil.which("java"):
        raise BrokerUnavailableError("Apache Kafka needs Java 17 (no `java` on the path)")
    folder = cache() / f"kafka-{VERSION}"
    if (folder / "jars").is_dir():
        return folder / "jars"
    if not shutil.which("mvn"):
        raise BrokerUnavailableError("Apache Kafka is fetched with Maven (no `mvn` on the path)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        (Path(work) / "pom.xml").write_text(POM)
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        fetched = subprocess.run(  # noqa: S603 - our own command
            [*command, f"-DoutputDirectory={work}/jars"], cwd=work, capture_output=True, text=True
        )
        if fetched.returncode:
            raise BrokerUnavailableError(f"Maven could not fetch Apache Kafka: {fetched.stdout[-500:]}")
        folder.mkdir(exist_ok=True)
        if not (folder / "jars").is_dir():
            (Path(work) / "jars").rename(folder / "jars")
    return folder / "jars"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Listeners:
    """Listeners beside the plain-text one: name -> (port, security protocol), and what they need."""

    ports: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    advertised: Mapping[str, int] = field(default_factory=dict)  # name -> port, where it is another
    properties: str = ""  # of server.properties
    format_options: tuple[str, ...] = ()  # of kafka-storage format, such as --add-scram
    java_options: tuple[str, ...] = ()  # of the broker's JVM

    def listed(self, advertised: Mapping[str, int]) -> str:
        """Return the listeners for server.properties, at their advertised ports where they have one."""
        ports = {name: port for name, (port, _) in self.ports.items()} | dict(advertised)
        return "".join(f",{name}://127.0.0.1:{port}" for name, port in ports.items())


class ApacheKafka:
    """One broker and its data; it can be stopped, killed and started again on the same port and data."""

    def __init__(self, folder: Path, listeners: "Listeners | None" = None) -> None:
        self.folder = folder
        self.port, controller = free_port(), free_port()
        more = listeners or Listeners()
        self._classpath, self._java_options = f"{jars()}/*", more.java_options
        self._process: subprocess.Popen[bytes] | None = None
        self._properties = folder / "server.properties"
        folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(
            PROPERTIES.format(
                port=self.port,
                controller=controller,
                logs=self.data,
                more=more.listed({}),
                advertised=more.listed(more.advertised),
                protocols="".join(f",{name}:{protocol}" for name, (_, protocol) in more.ports.items()),
            )
            + more.properties
        )
        (folder / "log4j2.properties").write_text(
            "rootLogger.level=WARN\nrootLogger.appenderRef.out.ref=out\n"
            "appender.out.type=Console\nappender.out.name=out\n"
        )
        self._format(more.format_options)

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _java(self, main: str, *arguments: str) -> list[str]:
        log = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        return ["java", HEAP, log, *self._java_options, "-cp", self._classpath, main, *arguments]

    def _format(self, options: Sequence[str]) -> None:
        arguments = ["format", "--standalone", "-t", "c3VyZ2V3YXRjaC0wMDAwMQ", "-c", str(self._properties)]
        arguments += options
        done = subprocess.run(  # noqa: S603 - our own command
            self._java("kafka.tools.StorageTool", *arguments), capture_output=True, text=True
        )
        if done.returncode:
            raise BrokerUnavailableError(
                f"cannot format Kafka's storage: {(done.stderr or done.stdout)[-500:]}"
            )

    def start(self, timeout: float = 240) -> None:
        """Start and wait until the port answers (seconds); raises BrokerUnavailableError with the log's end.

        A broker that fails ends at once. One that is slow has other work beside it, and is waited for.
        """
        with (self.folder / "broker.log").open("ab") as log:
            command = self._java("kafka.Kafka", str(self._properties))
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        status = self._process.poll()
        self.kill()
        log_end = (self.folder / "broker.log").read_text(errors="replace")[-1000:]
        how = f"did not answer within {timeout:.0f} s" if status is None else f"ended with status {status}"
        raise BrokerUnavailableError(f"Kafka {how}: {log_end}")

    def stop(self) -> None:
        """Stop in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)
        self._process = None
