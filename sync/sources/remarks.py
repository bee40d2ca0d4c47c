"""What a person should know of an import that went well: each thing once, with the first place and how many more there are."""

from gateway.errors import MAX_PROBLEMS
from sync.sources.school import Remark


class Remarks:
    """Gathers them; no more kinds than a person will read."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[str, int]] = {}

    def add(
        self, file: str, problem: str, hint: str, *, row: int | None = None, column: int | str | None = None
    ) -> None:
        """The same problem with the same hint elsewhere is only counted."""
        place, times = self._found.get((problem, hint), ("", 0))
        if times or len(self._found) < MAX_PROBLEMS:
            here = ":".join(str(part) for part in (file, row, column) if part is not None)
            self._found[problem, hint] = (place or here, times + 1)

    def all(self) -> tuple[Remark, ...]:
        """In the order in which they were first met."""
        return tuple(
            Remark(place=place, problem=problem + (f" (and {times - 1} more)" if times > 1 else ""), hint=hint)
            for (problem, hint), (place, times) in self._found.items()
        )
