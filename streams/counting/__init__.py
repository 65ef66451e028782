"""Bytes become events, and each event is counted once. Pure."""
