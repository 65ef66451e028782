"""Is this normal? Encounter events in, verdicts out."""
