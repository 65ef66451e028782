"""What is normal: regression, priors, dispersion, reporting delay, calendar. Pure."""
