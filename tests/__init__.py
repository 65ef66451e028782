"""What Surgewatch promises, shown."""
