"""Wiring of the streams worker: settings, metrics, outputs, the app."""
