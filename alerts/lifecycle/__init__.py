"""What an alert is, its states, the policies. Pure."""
