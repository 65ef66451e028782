"""Judges of one question each."""
