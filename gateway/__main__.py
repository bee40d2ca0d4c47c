"""`python -m gateway`, and the command `attendance-gateway`."""

from gateway.cli import main

if __name__ == "__main__":
    main(prog_name="attendance-gateway")
