"""Who should know? Verdicts in, notices out."""
