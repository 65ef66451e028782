"""Whole systems on one machine: brokers, worker processes, the demo, torture."""
