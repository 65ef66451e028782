"""Run a site under faults, and judge the result."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from surgewatch.harness.torture.events import Load
from surgewatch.harness.torture.faults import ANNOUNCED, FAULTS, LASTING, fleet_for
from surgewatch.harness.torture.judging import judge, judge_announced
from surgewatch.harness.torture.result import Result
from surgewatch.harness.torture.site import Site, pause
from surgewatch.harness.webhook_receiver import Receiver, receiving

FIRST, SECONDS = 5.0, 6.0  # seconds of events before and after faults, and for each fault

Report = Callable[[str], None]


def torture(load: Load, faults: Sequence[str], report: Report, *, security: str = "plain") -> Result:
    """Run all these faults, in random order, while events are produced.

    Workers reach the broker by `security`, a key of SECURITY. The folder with the logs is kept.
    """
    started = time.monotonic()
    order = random.sample(faults, len(faults))
    result = Result(load.events, load.sectors, sorted(faults))
    folder = Path(tempfile.mkdtemp(prefix="surgewatch-torture-"))
    with receiving(Receiver()) as receiver:
        seconds = FIRST + sum(LASTING.get(fault, SECONDS) for fault in faults)
        site = Site(
            folder,
            load,
            seconds,
            fleet=fleet_for(faults),
            receiver=receiver,
            report=report,
            security=security,
        )
        try:
            site.start()
            _happen(site, order)
            is_announced = bool(ANNOUNCED.keys() & set(faults))
            if "topic_anew" not in faults:
                site.catch_up()
            site.stop()
            asyncio.run(judge_announced(site, result) if is_announced else judge(site, result))
        finally:
            site.close()
    result.seconds = round(time.monotonic() - started, 1)
    result.remarks.append(f"logs in {folder}")
    return result


def torture_each(
    load: Load, faults: Sequence[str], times: int, report: Report, *, security: str = "plain"
) -> Iterator[Result]:
    """Run each fault by itself, `times` times in its run (once if it ends the run)."""
    for fault in faults:
        report(f"{fault}:")
        repeated = [fault] * (1 if fault in ANNOUNCED else times)
        yield torture(load, repeated, report, security=security)


def _happen(site: Site, faults: Sequence[str]) -> None:
    time.sleep(FIRST)  # so that there is something to lose
    for fault in faults:
        site.report(fault)
        FAULTS[fault](site)
        pause(0.5, 3)
        if fault not in ANNOUNCED:
            site.revive()
