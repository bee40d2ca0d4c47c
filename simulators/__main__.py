"""`python -m simulators`, and the command `attendance-sim`."""

from simulators.cli import main

if __name__ == "__main__":
    main(prog_name="attendance-sim")
