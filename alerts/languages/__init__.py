"""The languages of notices and the console: messages by catalogue, numbers and dates as each writes them."""
