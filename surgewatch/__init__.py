"""The command over both packages."""
