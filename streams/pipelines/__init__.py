"""Records in, verdicts out: partitions, watermarks, closing of periods. Pure."""
