"""The same judge over a history, without a broker. Pure."""
