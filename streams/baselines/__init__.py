"""What is normal: expected counts and their dispersion."""
