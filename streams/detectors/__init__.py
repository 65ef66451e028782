"""One question, one file: arrays in, p-values or states out. Pure."""
