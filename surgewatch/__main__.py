"""`python -m surgewatch` is the command."""

from surgewatch.cli import main

if __name__ == "__main__":
    main()
