"""`python -m journal`, and the command `attendance-journal`; a machine with the gateway alone has not its libraries."""

import sys

try:
    from journal.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"error: {error.name} is not installed here\n hint: make env LOCK=requirements-journal.lock")

if __name__ == "__main__":
    main(prog_name="python -m journal")
