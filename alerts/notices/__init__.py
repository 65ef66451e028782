"""Verdicts become notices: alert pipeline, wording, routing, controls. Pure."""
