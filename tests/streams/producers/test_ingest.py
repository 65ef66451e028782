"""`surgewatch ingest` from the command line: what it prints, and its exit status."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import confluent_kafka
import msgspec
import pytest

from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.sender import send
from surgewatch.cli import main
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.options.compacted_topic import newest
from tests.streams.producers.reading import CBP_HEADER, OCTOBER, written

# kafka-python leaves sockets to the garbage collector where a client is closed
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
Command = tuple[int, str, str]  # exit status, standard output, standard error


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """Collect what a test leaves within that test, where the warning is known."""
    yield
    gc.collect()


class Cli:
    """Runs the command line in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> Command:
        self._monkeypatch.setattr(sys, "argv", ["surgewatch", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *self._capsys.readouterr()


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_check_reads_and_reports_without_a_broker(cli: Cli, tmp_path: Path) -> None:
    rows = OCTOBER + OCTOBER.replace("UC / Single Minors", "Teenagers") + OCTOBER.replace("OCT", "Oktober")
    path = written(tmp_path, CBP_HEADER + rows)
    code, out, err = cli("ingest", str(path), "--check", "--brokers", "127.0.0.1:1")
    assert code == 1
    assert "read 2 events, 2,408 people; nothing was sent" in out
    assert 'unknown label in Demographic: "Teenagers", 1,204 people counted as unknown' in err
    assert 'refused row 4: invalid: Month (abbv) "Oktober" is none of JAN' in err


def test_a_good_file_is_checked_with_status_0_and_one_without_a_good_row_with_2(
    cli: Cli, tmp_path: Path
) -> None:
    assert cli("ingest", str(written(tmp_path, CBP_HEADER + OCTOBER)), "--check")[0] == 0
    bad = written(tmp_path, CBP_HEADER + OCTOBER.replace('"1,204"', "<5") * 30)
    code, _, err = cli("ingest", str(bad), "--check")
    assert code == 2
    assert err.count("refused row") == 20
    assert "and 10 more" in err
    assert "refused 30 rows (30 invalid); no row is good" in err


def test_a_header_or_a_layout_that_is_no_good_is_refused_with_status_2(cli: Cli, tmp_path: Path) -> None:
    near = written(tmp_path, CBP_HEADER.replace("Encounter Count", "Encounters") + OCTOBER)
    code, _, err = cli("ingest", str(near))
    assert (code, err) == (2, f"surgewatch: {near}:1: looks like CBP's table; no column 'encounter count'\n")
    layout = written(tmp_path, 'id = "mine"\n', "mine.toml")
    code, _, err = cli("ingest", str(near), "--layout", str(layout))
    assert code == 2
    assert "mine.toml:1: title: Field required" in err


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def where(request: pytest.FixtureRequest, cli: Cli) -> Iterator[tuple[str, ...]]:
    """The options that name a broker with topics of our own."""
    prefix = f"t{uuid4().hex[:8]}-"
    if request.param == "kafka":
        options = ("--brokers", request.getfixturevalue("kafka_servers"), "--topic-prefix", prefix)
        assert cli("topics", *options)[0] == 0
        yield options
        return
    with EmbeddedBroker() as broker:
        client = confluent_kafka.Producer({"bootstrap.servers": broker.servers})
        for topic in ("encounters", "tables"):  # to ask for a topic is to create it
            client.list_topics(f"{prefix}{topic}", timeout=10)
        yield "--brokers", broker.servers, "--topic-prefix", prefix, "--api-version", "2.0.0"


def test_the_next_release_adds_and_replaces_and_reports_both(
    where: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    def ingest(*rows: str, options: tuple[str, ...] = ()) -> str:
        code, out, _ = cli("ingest", str(written(tmp_path, CBP_HEADER + "".join(rows))), *where, *options)
        assert code == 0
        return out

    mexico, cuba, peru = (OCTOBER.replace("MEXICO", name) for name in ("MEXICO", "CUBA", "PERU"))
    revised, november = mexico.replace("1,204", "1,300"), mexico.replace("OCT", "NOV")
    assert "added 3, revised 0, unchanged 0" in ingest(mexico, cuba, peru)

    again = ingest(mexico, cuba, peru)
    assert "sent 0 events" in again
    assert "added 0, revised 0, unchanged 3" in again

    later = ingest(revised, cuba, november)
    assert "added 1, revised 1, unchanged 1" in later
    assert "no longer in the table: 1 figures (still counted; --complete takes them back)" in later

    complete = ingest(revised, cuba, november, options=("--complete", "--client", "fast"))
    assert "sent 1 events" in complete
    assert "no longer in the table: 1 figures (taken back)" in complete
    assert "sent 3 events" in ingest(revised, cuba, november, options=("--resend",))


def test_what_a_run_that_broke_off_may_not_have_sent_is_sent_first(
    where: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    file = str(written(tmp_path, CBP_HEADER + OCTOBER))
    assert cli("ingest", file, *where)[0] == 0
    broker, tables = Broker(where[1], api_version=(2, 0, 0)), f"{where[3]}tables"
    ((figure, value),) = newest(broker, tables).items()
    unsent = msgspec.json.encode(msgspec.json.decode(value) | {"unsent": True})
    send([Outgoing(figure.encode(), unsent, 0, partition=0)], broker, tables)

    out = cli("ingest", file, *where)[1]
    assert out.startswith("sent 1 events again, of a run that broke off\nsent 0 events")
    assert "added 1, revised 0, unchanged 0" in out
    assert "added 0, revised 0, unchanged 1" in cli("ingest", file, *where)[1]


def test_heartbeats_follow_the_events_for_all_sectors_of_the_file(
    where: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    file = str(written(tmp_path, CBP_HEADER + OCTOBER + OCTOBER.replace("San Diego", "Yuma")))
    pulse = ("--source", "cbp", "--every", "31d")
    assert "sent 2 heartbeats of cbp, for 2 sectors" in cli("ingest", file, *where, *pulse)[1]
    code, out, _ = cli("ingest", file, *where, *pulse, "--for", "swanton")
    assert code == 0
    assert "sent 0 events" in out
    assert "sent 1 heartbeats of cbp, for 1 sectors" in out
    out = cli("replay", file, *where, *pulse, "--speed", "max")[1]
    assert "sent 2 events" in out
    assert "sent 2 heartbeats of cbp" in out
    assert "for 2 sectors" in cli("heartbeat", "cbp", "yuma", "swanton", "--every", "1h", "--last", *where)[1]


def test_no_heartbeat_follows_a_file_of_which_no_row_is_good(
    where: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    file = written(tmp_path, CBP_HEADER + OCTOBER.replace('"1,204"', "<5"))
    pulse = ("--source", "cbp", "--every", "31d", "--for", "yuma")
    code, out, _ = cli("ingest", str(file), *where, *pulse)
    assert (code, "heartbeats" in out) == (2, False)


def test_heartbeats_in_a_file_are_sent_as_they_are_and_faults_in_them_are_named(
    cli: Cli, tmp_path: Path
) -> None:
    good = '{"source": "a", "sector": "yuma", "alive_at": "2023-01-01T00:00:00Z", "interval_seconds": 60}'
    lines = good, good.replace("60}", "0}"), good.replace("Z", "")
    file = written(tmp_path, "\n".join(lines), "file.ndjson")
    code, out, err = cli("ingest", str(file), "--check")
    assert code == 1
    assert "read 0 events, 0 people" in out
    assert 'refused row 2: invalid: interval_seconds "0" is no whole number from 1 to 2,678,400' in err
    assert 'refused row 3: invalid: alive_at "2023-01-01T00:00:00" is no time with an offset' in err
