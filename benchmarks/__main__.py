"""`python -m benchmarks`: every measure of speed, as ratios in one run."""

from benchmarks import throughput

if __name__ == "__main__":
    throughput.main()
