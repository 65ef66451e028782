"""The console: one page over the board, live by server-sent events, and its API.

topics ─▶ Board ─▶ EventStreams ─▶ page ─▶ requests ─▶ controls

It runs in a thread with a loop of its own (`alerts.worker.console_server`), so that no page delays a notice.
"""
