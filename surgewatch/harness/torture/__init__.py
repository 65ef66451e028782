"""Torture: under any fault of workers or broker every person is counted once, or reported as lost.

events ─▶ broker ─▶ workers ─▶ receiver        while faults happen (`faults`)
   └─▶ pure cores, without Kafka ─▶ what must have come out (`judging`)
"""

from surgewatch.harness.torture.events import Load
from surgewatch.harness.torture.faults import ANNOUNCED, EXACT, FAULTS
from surgewatch.harness.torture.result import Result
from surgewatch.harness.torture.run import torture, torture_each
from surgewatch.harness.torture.security import SECURITY

__all__ = ["ANNOUNCED", "EXACT", "FAULTS", "SECURITY", "Load", "Result", "torture", "torture_each"]
