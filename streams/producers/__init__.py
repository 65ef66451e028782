"""Where events come from: files, official tables, scenarios."""
