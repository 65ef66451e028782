"""What is on the topics: events, verdicts, controls, dead letters, sectors. Pure."""
