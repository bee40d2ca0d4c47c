"""One morning as a file: when the school opens, who comes how, and what the journal must hold in the end."""

import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.errors import ConfigError

SCENARIOS = Path(__file__).parent / "scenarios"
#: From here on the journal asks a person before it tells parents.
_BRAKE_PERCENT = 10

Percent = Annotated[int, Field(ge=0, le=100)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is not an IANA zone") from error
    return name


class Table(BaseModel):
    """A table of the file; a key that nobody reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lesson(Table):
    """The only lesson of the morning, local time."""

    start: time
    end: time


class School(Table):
    """How pupils become classes."""

    class_size: Annotated[int, Field(ge=1, le=40)]
    #: Grades in the order in which classes are opened.
    grades: Annotated[tuple[Annotated[int, Field(ge=1, le=11)], ...], Field(min_length=1)]


class Arrivals(Table):
    """Triangular between the first and the last who come in time, local time."""

    first: time
    peak: time
    last: time


class Shares(Table):
    """Percent of the pupils; visitors come on top."""

    absent: Percent
    late: Percent
    a_little_late: Percent
    double_taps: Percent
    held_cards: Percent
    unknown_cards: Percent
    random_cards: Percent


class Expected(Table):
    """What the journal must hold for one crowd when nothing is killed."""

    pupils: int
    seed: int
    present: int
    late: int
    absent: int
    late_notices: int
    not_seen_notices: int


class Scenario(Table):
    """A morning of one school with one shift."""

    name: str
    zone: Annotated[str, AfterValidator(_zone)]
    date: date
    opens: time
    closes: time
    lesson: Lesson
    school: School
    arrivals: Arrivals
    crowd: Shares
    expected: Expected

    @model_validator(mode="after")
    def _possible(self) -> Self:
        moments = (self.opens, self.arrivals.first, self.arrivals.peak, self.arrivals.last, self.lesson.start)
        if list(moments) != sorted(moments) or self.lesson.end <= self.lesson.start:
            raise ValueError("times must follow each other: opens, first, peak, last, lesson start, lesson end")
        if self.at(self.lesson.start) - self.at(self.arrivals.last) < timedelta(seconds=60):
            raise ValueError("who comes in time comes at least a minute before the lesson: a tap takes a moment")
        if self.crowd.absent + self.crowd.late >= _BRAKE_PERCENT:
            raise ValueError(f"absent and late are less than {_BRAKE_PERCENT} together, or messages wait for a person")
        return self

    @classmethod
    def load(cls, name: str) -> "Scenario":
        """By name from the folder of scenarios, or by path. Raises ConfigError."""
        path = Path(name) if name.endswith(".toml") else SCENARIOS / f"{name}.toml"
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}", hint=f"scenarios are in {SCENARIOS}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "file"
            raise ConfigError(
                f"{path}: {place}: {first['msg']}", hint=f"compare with {SCENARIOS}/ordinary.toml"
            ) from error

    def at(self, local: time) -> datetime:
        """A local time of that date."""
        return datetime.combine(self.date, local, tzinfo=ZoneInfo(self.zone))
