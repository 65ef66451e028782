"""One module a verb, each with a click command named `command`; the command line finds them by name."""
