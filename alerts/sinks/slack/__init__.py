"""Slack, in two ways: an incoming webhook takes messages, an app edits its own and has buttons."""
