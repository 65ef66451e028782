"""A second set of workers on the same events: the state it begins with, and how its verdicts compare."""
