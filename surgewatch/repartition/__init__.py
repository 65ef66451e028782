"""Add partitions to topics, and move the state of each key to its new partition."""
