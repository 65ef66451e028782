"""Wiring of the alerts worker: delivery, outputs, settings, the app."""
