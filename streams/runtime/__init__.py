"""The Kafka worker: transport, flow, changelog, local store, watchdog. Knows neither package's core."""
