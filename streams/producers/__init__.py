"""Where events come from: files, official tables and scenarios, sent with kafka-python."""
