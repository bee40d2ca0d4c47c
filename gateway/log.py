"""Lines for the machine's journal: a sentence, then key=value; under systemd with the priority that journald reads."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Final

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PRIORITIES: Final[Mapping[str, int]] = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


class Lines(logging.Formatter):
    """One line for each record, whatever it carries."""

    def __init__(self, *, priorities: bool) -> None:
        super().__init__()
        self._priorities = priorities

    def format(self, record: logging.LogRecord) -> str:
        said = {key: value for key, value in vars(record).items() if key not in _OWN}
        words = [record.getMessage(), *(f"{key}={_quoted(str(value))}" for key, value in said.items())]
        if record.exc_info:
            words.append(f"exception={_quoted(self.formatException(record.exc_info))}")
        # sd-daemon(3): the number in front is the priority, and journald keeps the time itself.
        front = f"<{_PRIORITIES.get(record.levelname, 6)}>" if self._priorities else self.formatTime(record) + " "
        return front + " ".join(words).replace("\n", "\\n")


class Once:
    """Says each sentence once for as long as it stands; one that was gone in between is said again."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._standing: dict[str, str] = {}

    def say(self, topic: str, sentence: str | None, *, hint: str | None = None) -> None:
        """What there is to say about a topic now; None for nothing."""
        if sentence is None:
            self._standing.pop(topic, None)
        elif self._standing.get(topic) != sentence:
            self._standing[topic] = sentence
            self._log.error("%s", sentence, extra={"hint": hint} if hint is not None else None)


def set_up() -> None:
    """Send what is logged to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines(priorities="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _quoted(text: str) -> str:
    return text if text and text.isprintable() and " " not in text and '"' not in text else repr(text)
