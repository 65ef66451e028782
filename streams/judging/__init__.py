"""The questions asked of a sector and of a border: findings become verdicts. Pure."""
