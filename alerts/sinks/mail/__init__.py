"""E-mail: a message with a plain and an HTML part, handed to one SMTP server over TLS."""
