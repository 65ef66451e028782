"""The watchdog: progress as a pure value, and a worker that ends itself."""

import signal
import subprocess
import sys
import time

from streams.runtime.refusals import Exit
from streams.runtime.watchdog import Progress, or_end

AT = ("encounters", 0)


def test_a_worker_with_nothing_to_read_is_never_stuck():
    progress = Progress(timeout=10, turned=0)
    for now in range(0, 100, 5):
        progress.turn(now)
        progress.observe({AT: 7}, {AT: 7}, now)
        assert progress.stuck(now) is None


def test_lag_is_borne_as_long_as_it_is_worked_off():
    progress = Progress(timeout=10, turned=0)
    for now in range(0, 100, 5):
        progress.turn(now)
        progress.observe({AT: now}, {AT: 1000}, now)
        assert progress.stuck(now) is None


def test_lag_that_does_not_move_is_named_with_its_partition_and_offset():
    progress = Progress(timeout=10, turned=0)
    for now in (0, 5, 11, 12):
        progress.turn(now)
        progress.observe({AT: 3}, {AT: 9}, now)
    assert progress.stuck(12) == "encounters[0] has records, but stands at 3 for 12 s"


def test_records_that_came_between_two_looks_have_not_waited_longer_than_they_were_seen_to():
    progress = Progress(timeout=3, turned=0)
    for now, end in ((0, 3), (10, 4)):
        progress.turn(now)
        progress.observe({AT: 3}, {AT: end}, now)
        assert progress.stuck(now) is None
    progress.turn(20)
    assert progress.stuck(20) is None  # nobody has looked since
    progress.observe({AT: 3}, {AT: 4}, 20)
    assert progress.stuck(20) == "encounters[0] has records, but stands at 3 for 10 s"


def test_seconds_in_which_the_process_did_not_run_count_for_nothing():
    progress = Progress(timeout=10, turned=0)
    progress.observe({AT: 3}, {AT: 9}, 0)
    progress.frozen += 90
    assert progress.stuck(95) is None
    progress.observe({AT: 3}, {AT: 9}, 95)
    assert progress.standing(4) == "encounters[0] has records, but stands at 3 for 5 s"
    assert progress.stuck(101) == "the event loop has not turned for 11 s"


def test_a_worker_that_was_stopped_for_longer_than_its_timeout_goes_on():
    script = (
        "import time; from streams.runtime.watchdog import Progress, start_watchdog;"
        "progress = Progress(timeout=1.0, turned=time.monotonic()); start_watchdog(progress);"
        "print('up', flush=True);"
        "[(progress.turn(time.monotonic()), time.sleep(0.2)) for _ in range(10)]; print('worked')"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "worked\n"


def test_a_partition_given_away_is_no_longer_waited_for():
    progress = Progress(timeout=10, turned=20)
    progress.observe({AT: 3}, {AT: 9}, 0)
    progress.observe({}, {}, 19)
    assert progress.stuck(20) is None


def test_an_event_loop_that_hangs_is_stuck():
    progress = Progress(timeout=10, turned=0)
    assert progress.stuck(9) is None
    assert progress.stuck(11) == "the event loop has not turned for 11 s"


def test_a_worker_that_hangs_exits_non_zero_and_logs_the_reason():
    script = (
        "import time; from streams.runtime.watchdog import Progress, start_watchdog;"
        "start_watchdog(Progress(timeout=0.2, turned=time.monotonic())); time.sleep(30)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert ended.returncode == Exit.STUCK
    assert "the event loop has not turned" in ended.stdout


def test_a_worker_that_closes_periods_piece_by_piece_is_alive_however_slow_it_is():
    progress = Progress(timeout=10, turned=0)
    for now in range(0, 300, 5):
        progress.turn(now)
        progress.observe({AT: 3}, {AT: 9}, now)
        progress.work("encounters", now)
        assert progress.stuck(now) is None


def test_a_topic_that_waits_for_the_work_on_another_is_no_reason_to_end_but_one_to_be_not_ready():
    """One consumer feeds both: on a slow machine one long fetch of encounters takes minutes."""
    progress = Progress(timeout=10, turned=0)
    for now in range(0, 300, 5):
        progress.turn(now)
        progress.observe({AT: 3, ("summaries", 0): 4}, {AT: 9, ("summaries", 0): 8}, now)
        progress.work("encounters", now)
        progress.wait_behind(["summaries"], now)
        assert progress.stuck(now) is None
    assert progress.standing(10) == "summaries[0] has records, but stands at 4 for 295 s"
    progress.turn(310)
    progress.observe({("summaries", 0): 4}, {("summaries", 0): 8}, 310)
    assert progress.stuck(310) == "summaries[0] has records, but stands at 4 for 15 s"


def test_nobody_is_stuck_while_the_broker_does_not_answer():
    progress = Progress(timeout=10, turned=0)
    progress.observe({AT: 3}, {AT: 9}, 0)
    for now in range(0, 300, 5):
        progress.turn(now)
        progress.excuse(now)
        assert progress.stuck(now) is None
    progress.turn(311)
    progress.observe({AT: 3}, {AT: 9}, 311)
    assert progress.stuck(311) == "encounters[0] has records, but stands at 3 for 16 s"


def test_a_worker_that_does_not_stop_in_time_is_ended_with_its_status():
    script = (
        "import time; from streams.runtime.watchdog import end_within; end_within(0.2, 2); time.sleep(30)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert "did not stop in time" in ended.stdout


WITHOUT_MEMORY = """
import resource, time
from pathlib import Path
from streams.runtime.watchdog import Progress, start_watchdog
start_watchdog(Progress(timeout=1, turned=time.monotonic(), frozen=1e9))
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size, size))
held, piece = [], 1 << 20
while piece > 1 << 10:
    try:
        held.append(bytearray(piece))
    except MemoryError:
        piece //= 2
time.sleep(20)
"""


def assert_ends_itself(script: str, advice: str) -> None:
    """Run a script that first shows that it lives: it ends as stuck, and its last line has the advice."""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == Exit.STUCK, ended
    assert ended.stdout.startswith("lives\n")
    assert advice in ended.stdout


WITHOUT_DESCRIPTORS = """
import os, resource, time
from streams.runtime.watchdog import Progress, start_watchdog
progress = Progress(timeout=1, turned=time.monotonic(), frozen=1e9)
start_watchdog(progress)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
def take():
    try:
        while True:
            held.append(os.dup(2))
    except OSError:
        return
for _ in range(10):  # clients that come and go
    take()
    time.sleep(.3)
    while held:
        os.close(held.pop())
    time.sleep(.3)
print("lives", flush=True)
take()
time.sleep(20)
"""


def test_a_process_that_has_no_descriptor_left_for_long_ends_itself_and_says_what_to_do():
    assert_ends_itself(WITHOUT_DESCRIPTORS, "raise its limit (ulimit -n)")


WITHOUT_THREADS = """
import _thread, time
from streams.runtime.watchdog import Progress, start_watchdog
start_watchdog(Progress(timeout=60, turned=time.monotonic() + 1e9))
start = _thread.start_new_thread
def fail(*_):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = fail
time.sleep(1.5)
_thread.start_new_thread = start
time.sleep(4)
print("lives", flush=True)
_thread.start_new_thread = fail
time.sleep(20)
"""


def test_a_process_that_can_start_no_thread_ends_itself_before_a_library_ends_it_without_a_line():
    """The limit of threads is the user's, and root has none: so the call fails by hand."""
    assert_ends_itself(WITHOUT_THREADS, "raise the limit (ulimit -u, pids of the cgroup)")


def test_a_thread_that_fails_ends_the_process_and_names_itself(capfd):
    ends = []
    or_end("health", lambda: None, ends.append)
    assert ends == []
    or_end("health", lambda: 1 // 0, ends.append)
    assert ends == [Exit.STUCK]
    assert "thread=health" in capfd.readouterr().out


def test_a_process_that_gets_no_more_memory_ends_itself_whatever_else_it_does():
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == Exit.STUCK, ended
