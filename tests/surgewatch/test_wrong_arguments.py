"""Whatever is wrong with its arguments, files or environment, a command ends with a line that says so."""

import sys
from pathlib import Path

import pytest

from surgewatch import cli

LABEL = "x" * 64  # a part of a name may have 63 letters
HISTORY = "series,period,count\nswanton,2023-11-01,5\nswanton,2023-12-01,6\n"


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["surgewatch", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["explain", "x", "--url", "http://["], "'http://[' is no http(s) address"),
        (["explain", "x", "--url", "http://127.0.0.1:x"], "is no http(s) address"),
        (["explain", "x", "--url", "http://127.0.0.1:1/a b"], "is no http(s) address"),
        (["explain", "\udcff", "--url", "http://127.0.0.1:1"], "is the alerts worker up?"),
        (["token", ""], "at least 1 character"),
        (["controls", "--brokers", LABEL], f"'{LABEL}' is no host:port"),
        (["controls", "--brokers", "kafka..example"], "'kafka..example' is no host:port"),
        (["controls", "--brokers", "\udcff"], "is no host:port"),
        (["torture", "--sectors", "0"], "'--sectors': 0 is not in the range"),
        (["torture", "--kills", str(2**63)], "is not in the range"),
    ],
)
def test_a_wrong_argument_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert ended(monkeypatch, *arguments) in (1, 2)
    assert reason in capfd.readouterr().err


@pytest.mark.parametrize("command", ["score", "learn-priors"])
def test_the_last_month_of_all_calendars_is_named_with_its_row(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
) -> None:
    history = tmp_path / "history.csv"
    history.write_text(f"{HISTORY}swanton,9999-12-01,7\n")
    assert ended(monkeypatch, command, str(history), "--cadence", "month") == 2
    assert f"{history}:4: '9999-12-01' is no date or time" in capfd.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    history = tmp_path / "history.csv"
    history.write_text(HISTORY)
    assert ended(monkeypatch, "score", str(history), "--cadence", "month", "--out", "/dev/full") == 2
    assert "surgewatch: [Errno 28] No space left on device" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["worker", "streams", "--check"], ["page", "--test", "slack"]])
def test_a_variable_that_is_not_utf8_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setenv("SURGEWATCH_KAFKA_CA_FILE", "/etc/caf\udce9.pem")
    assert ended(monkeypatch, *arguments) == 2
    assert capfd.readouterr().err == "surgewatch: not UTF-8: SURGEWATCH_KAFKA_CA_FILE\n"


def test_a_test_page_names_a_setting_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SURGEWATCH_CLOCK", "sun")
    assert ended(monkeypatch, "page", "--test", "slack") == 2
    assert "SURGEWATCH_*: clock: Input should be 'wall' or 'event'" in capfd.readouterr().err
