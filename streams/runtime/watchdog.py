"""End a worker that makes no progress, and log the reason.

Consumers have been seen to stop fetching, silently and for good, after a broker was away. The watchdog
asks the broker by a connection of its own how far the topics reach. It runs in a thread, so that it also sees
an event loop that hangs. Progress is a record processed or a piece of a long closing done: a slow machine
that works is left alone, and so is a worker whose records wait behind a producer's open transaction, or
behind a long closing of another topic. (The worker is not ready meanwhile, if that takes long.)

A worker that gets no more memory ends too: its tasks and connections would fail one by one, some unseen, and
its questions to the broker would look like a broker that does not answer. So does one that has had no file
descriptor left for as long as it may stand. One that can start no thread has to be quick: librdkafka, which
asks for topics every ten seconds, ends the process without a line where it gets none.
"""

import _thread
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from mmap import mmap

import structlog

from streams.runtime.readiness import Position
from streams.runtime.refusals import Exit

log = structlog.get_logger()

SPARE = 1 << 20  # bytes that a worker must be able to get at any moment
THREADLESS = 3.0  # seconds without a thread to be had, after which a worker ends: see above
_reserve = [bytearray(SPARE)]  # given back when there is no more, so that the end itself has memory


@dataclass
class Progress:
    """A worker's progress as seen from outside; times are seconds of one monotonic clock."""

    timeout: float  # seconds without progress after which the worker is stuck
    turned: float  # when the event loop last turned
    frozen: float = 0.0  # seconds for which this process did not run: they count for nothing
    looked: float = 0.0  # when it was last known which records wait
    stood: dict[Position, tuple[int, float]] = field(default_factory=dict)  # that wait: offset, since when
    behind: dict[str, float] = field(default_factory=dict)  # topic: when it last waited for another's work

    def turn(self, now: float) -> None:
        """The event loop turned."""
        self.turned = now - self.frozen

    def work(self, topic: str, now: float) -> None:
        """Something was done for a topic though no offset moved: a piece of a long closing."""
        for at, (offset, _) in self.stood.items():
            if at[0] == topic:
                self.stood[at] = offset, now - self.frozen

    def wait_behind(self, topics: Iterable[str], now: float) -> None:
        """Nothing of these topics is in hand: one consumer feeds all, and it waits for work on another."""
        self.behind |= dict.fromkeys(topics, now - self.frozen)

    def excuse(self, now: float) -> None:
        """The broker does not answer: nobody makes progress, and nobody is to blame."""
        self.stood = {at: (offset, now - self.frozen) for at, (offset, _) in self.stood.items()}

    def observe(self, processed: Mapping[Position, int], ends: Mapping[Position, int], now: float) -> None:
        """How far the assigned partitions are processed, and up to where they can be read."""
        self.looked = now - self.frozen
        waiting: dict[Position, tuple[int, float]] = {}
        for at, end in ends.items():
            offset = processed.get(at, 0)
            if offset < end:
                before, since = self.stood.get(at, (offset, self.looked))
                waiting[at] = offset, since if offset == before else self.looked
        self.stood = waiting

    def standing(self, seconds: float, excused: Mapping[str, float] = {}) -> str | None:
        """Name the first partition whose records have waited for so long; None where there is none.

        Only what was seen to wait counts, up to the last look: a look can take long. What was before the
        moment that `excused` has for a topic does not count.
        """
        for (topic, partition), (offset, since) in sorted(self.stood.items()):
            if (waited := self.looked - max(since, excused.get(topic, since))) > seconds:
                return f"{topic}[{partition}] has records, but stands at {offset} for {waited:.0f} s"
        return None

    def without_descriptors(self, now: float, opened: float) -> str | None:
        """Say for how long no file could be opened, where clients do not take all for a moment only."""
        seconds = now - self.frozen - opened
        if seconds <= self.timeout:
            return None
        return f"no file descriptor has been free for {seconds:.0f} s: raise its limit (ulimit -n)"

    def without_threads(self, now: float, started: float) -> str | None:
        """Say for how long no thread could be started."""
        seconds = now - self.frozen - started
        if seconds <= min(THREADLESS, self.timeout):
            return None
        return (
            f"no thread could be started for {seconds:.0f} s: raise the limit (ulimit -u, pids of the cgroup)"
        )

    def stuck(self, now: float) -> str | None:
        """Why the worker has to end, or None."""
        hung = now - self.frozen - self.turned
        if hung > self.timeout:
            return f"the event loop has not turned for {hung:.0f} s"
        return self.standing(self.timeout, self.behind)


def start_watchdog(progress: Progress, end: Callable[[int], None] = os._exit) -> threading.Thread:
    """Watch from a thread of its own; a worker that is stuck ends with Exit.STUCK.

    Where the thread itself wakes up late, the process was stopped or had no core. Nobody hangs then.
    """
    pause = min(1.0, progress.timeout / 4)

    def watch() -> None:
        try:
            look()
        except (MemoryError, OSError):  # OSError: of the mapping
            end_without_memory(end)

    def look() -> None:
        opened = started = time.monotonic()  # when a file could last be opened, and a thread started
        while True:
            before = time.monotonic()
            time.sleep(pause)
            now = time.monotonic()
            progress.frozen += now - before - pause
            mmap(-1, SPARE).close()  # not by malloc, which keeps some in hand for each thread
            opened = now - progress.frozen if can_open() else opened
            started = now - progress.frozen if can_start() else started
            reason = (
                progress.stuck(now)
                or progress.without_descriptors(now, opened)
                or progress.without_threads(now, started)
            )
            if reason is not None:
                _end_stuck(end, "no progress, so this worker ends itself", reason=reason)
                return

    thread = threading.Thread(target=partial(or_end, "watchdog", watch, end), name="watchdog", daemon=True)
    thread.start()
    return thread


def can_open() -> bool:
    """Return whether there is a descriptor left for a file or a connection."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True


def can_start() -> bool:
    """Return whether a thread can be started: whoever asks for names, files or metrics needs one."""
    try:
        _thread.start_new_thread(bool, ())
    except RuntimeError:
        return False
    return True


def end_without_memory(end: Callable[[int], None] = os._exit) -> None:
    """End the process: there is no memory left."""
    _end_stuck(end, "no memory left, so this worker ends itself")


def or_end(name: str, work: Callable[[], object], end: Callable[[int], None] = os._exit) -> None:
    """Do the work of a thread; where it fails, end the process: nobody else would do it, nor see that."""
    try:
        work()
    except BaseException as error:
        _end_stuck(end, "a thread failed, so this worker ends itself", thread=name, error=repr(error))


def _end_stuck(end: Callable[[int], None], event: str, **about: str) -> None:
    """End the process, with a line in the log if there is memory for that."""
    _reserve.clear()
    try:
        log.critical(event, **about)
    finally:
        end(Exit.STUCK)


def end_within(seconds: float, status: int) -> threading.Timer:
    """End the process with this status after so many seconds, whatever still hangs then."""

    def end() -> None:
        log.warning("did not stop in time, so it is ended", seconds=seconds)
        os._exit(status)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer
