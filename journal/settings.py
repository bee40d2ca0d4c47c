"""The journal's configuration: journal.toml into values, and every mistake of the file into a sentence with a place."""

import difflib
import json
import os
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.domain.handshake import Name
from gateway.domain.model import GroupId
from gateway.domain.policy import Override, Policy, changed
from gateway.errors import ConfigError, Problem
from sync.broker import Broker, TlsFiles

ENVIRONMENT, DEFAULT = "ATTENDANCE_JOURNAL", "journal.toml"
#: Tables that every gateway.toml has and no journal.toml.
_GATEWAYS = frozenset({"devices", "lanes"})
_SHOWN = 60
_NEAR = 0.5


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("a path that begins with /")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class SettingsTable(BaseModel):
    """A table of the file; a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StateTable(SettingsTable):
    """What the journal owns on the disk."""

    #: Where the keys live, and the database unless [database] says otherwise.
    directory: AbsolutePath = Field(description="an absolute path")


class DatabaseTable(SettingsTable):
    """Where the rows are."""

    #: An SQLAlchemy URL of an asynchronous driver.
    url: Annotated[str, Field(pattern=r"^(sqlite\+aiosqlite|postgresql\+asyncpg)://")] = Field(
        description='"sqlite+aiosqlite:////absolute/path.db" or "postgresql+asyncpg://user@host/database"'
    )


class BrokerTable(SettingsTable):
    """The way to the broker."""

    url: Annotated[str, Field(pattern=r"^mqtts?://[^/?#@]+$")] = Field(
        default="mqtt://127.0.0.1:1883", description='"mqtts://host:port" or "mqtt://127.0.0.1:port"'
    )
    #: Also the user name and the certificate's common name.
    client_id: Name = Field(default="journal", description="1 to 32 of a-z, 0-9 and -")
    ca: AbsolutePath | None = Field(default=None, description="an absolute path")
    certificate: AbsolutePath | None = Field(default=None, description="an absolute path")
    key: AbsolutePath | None = Field(default=None, description="an absolute path")

    def broker(self, suffix: str = "") -> Broker:
        """Where to connect, and as whom; a suffix for a second connection beside the running journal. Raises ConfigError."""
        files = TlsFiles(ca=self.ca, certificate=self.certificate, key=self.key)
        tls = files if files != TlsFiles() else None
        return Broker.parse(self.url, client_id=self.client_id + suffix, tls=tls, username=self.client_id)


def _numbers(numbers: dict[str, int | bool]) -> dict[str, int | bool]:
    changed(Policy(), numbers)
    return numbers


class OverrideTable(SettingsTable):
    """Other numbers for some; without groups, shifts and grades for the whole site."""

    groups: frozenset[str] = Field(default=frozenset(), description="a list of classes and groups")
    shifts: frozenset[int] = Field(default=frozenset(), description="a list of shifts")
    grades: frozenset[int] = Field(default=frozenset(), description="a list of grades")
    numbers: Annotated[dict[str, StrictInt | StrictBool], AfterValidator(_numbers)] = Field(
        description="a table of numbers of the register: { grace_minutes = 5 }"
    )

    def override(self) -> Override:
        """As the register wants it."""
        groups = frozenset(map(GroupId, self.groups))
        return Override(groups=groups, shifts=self.shifts, grades=self.grades, numbers=self.numbers)


class CodesTable(SettingsTable):
    """What the school's own register calls a mark; an empty code is none."""

    absent: str = Field(default="ОТ", description="a short text")
    late: str = Field(default="ОП", description="a short text")
    left_early: str = Field(default="", description="a short text")
    ill: str = Field(default="Б", description="a short text")
    valid: str = Field(default="УП", description="a short text")
    released: str = Field(default="ОСВ", description="a short text")
    invalid: str = Field(default="НП", description="a short text")


class PolicyTable(SettingsTable):
    """The numbers of the register that a school sets itself; each has a default."""

    grace_minutes: int = Field(default=0, strict=True, ge=0, le=60, description="whole minutes from 0 to 60")
    absent_percent: int = Field(default=50, strict=True, ge=1, le=100, description="a whole number from 1 to 100")
    late_notice_minutes: int = Field(default=5, strict=True, ge=1, le=120, description="whole minutes from 1 to 120")
    not_seen_after_minutes: int = Field(
        default=15, strict=True, ge=1, le=120, description="whole minutes from 1 to 120"
    )
    not_seen_after_primary_minutes: int = Field(
        default=10, strict=True, ge=1, le=120, description="whole minutes from 1 to 120"
    )
    brake_percent: int = Field(default=10, strict=True, ge=1, le=100, description="a whole number from 1 to 100")
    brake_pupils: int = Field(default=15, strict=True, ge=1, le=10_000, description="a whole number from 1 to 10000")
    brake_class_percent: int = Field(default=40, strict=True, ge=1, le=100, description="a whole number from 1 to 100")
    brake_class_pupils: int = Field(
        default=6, strict=True, ge=1, le=10_000, description="a whole number from 1 to 10000"
    )

    #: For a shift, a grade or a group; here every number of the register can be set.
    overrides: tuple[OverrideTable, ...] = Field(default=(), description="[[sites.NAME.overrides]] tables")
    #: For exports of the report.
    codes: CodesTable = Field(default=CodesTable(), description="a table")

    def policy(self) -> Policy:
        """As the register wants it."""
        return Policy(
            grace=timedelta(minutes=self.grace_minutes),
            absent_percent=self.absent_percent,
            late_notice_minutes=self.late_notice_minutes,
            not_seen_after=timedelta(minutes=self.not_seen_after_minutes),
            not_seen_after_primary=timedelta(minutes=self.not_seen_after_primary_minutes),
            brake_percent=self.brake_percent,
            brake_pupils=self.brake_pupils,
            brake_class_percent=self.brake_class_percent,
            brake_class_pupils=self.brake_class_pupils,
        )


class DirectoryTable(SettingsTable):
    """What is published to gateways."""

    #: Days of timetable that a gateway without a network can go on with.
    days: int = Field(default=14, strict=True, ge=14, le=60, description="whole days from 14 to 60")


class NoticesTable(SettingsTable):
    """How parents are told; without a mail server nobody is."""

    #: An Apprise URL without a recipient: "mailto://user:password@host?from=school@example.org".
    mail: str | None = Field(
        default=None, repr=False, description='an Apprise URL: "mailto://host:25?from=a@b.example"'
    )


class Settings(SettingsTable):
    """Everything in journal.toml."""

    state: StateTable = Field(description="a table with directory")
    database: DatabaseTable | None = Field(default=None, description="a table with url")
    broker: BrokerTable = Field(default=BrokerTable(), description="a table")
    #: Only for a site that departs from the defaults; zone, language and name come with its directory.
    sites: dict[Name, PolicyTable] = Field(default={}, description="[sites.NAME] tables, NAME of a-z, 0-9 and -")
    directory: DirectoryTable = DirectoryTable()
    notices: NoticesTable = NoticesTable()

    @property
    def url(self) -> str:
        """Of the database."""
        return self.database.url if self.database else f"sqlite+aiosqlite:///{self.state.directory}/journal.db"

    def policy(self, site: str) -> Policy:
        """The rules of a site."""
        return self.sites.get(site, PolicyTable()).policy()

    def overrides(self, site: str) -> tuple[Override, ...]:
        """Other numbers for some of a site."""
        return tuple(table.override() for table in self.sites.get(site, PolicyTable()).overrides)

    def codes(self, site: str) -> CodesTable:
        """What a site's own register calls a mark."""
        return self.sites.get(site, PolicyTable()).codes


def load(path: Path | None = None) -> Settings:
    """Read the file; None means $ATTENDANCE_JOURNAL or ./journal.toml. Raises ConfigError with every mistake."""
    path = path or Path(os.environ.get(ENVIRONMENT, DEFAULT))
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"{path}: {reason}", hint=f"give --config FILE or set {ENVIRONMENT}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}", hint="compare with config/journal.example.toml") from error
    if _GATEWAYS & raw.keys():
        raise ConfigError(
            f"{path}: this is a gateway's configuration; a journal has one of its own",
            hint=f"give the journal's with --config FILE or {ENVIRONMENT}; this one is for 'attendance-gateway run {path}'",
        )
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        found = ConfigError.of([_explain(path.name, detail) for detail in error.errors(include_url=False)])
        found.hint = "mend the named places and start again"
        raise found from None


def _explain(file: str, detail: ErrorDetails) -> Problem:
    loc = [str(part) for part in detail["loc"] if part != "[key]"]
    *tables, key = loc or ["the file"]
    place = f"{file}: [{'.'.join(tables)}], key {key}" if tables else f"{file}: key {key}"
    keys, field = _known(loc)
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, keys, 1, _NEAR)
        hint = f"did you mean {near[0]}?" if near else "remove it"
        return Problem(place=place, got="a key that nobody knows", expected=f"one of {', '.join(keys)}", hint=hint)
    reason = detail.get("ctx", {}).get("error")
    expected = str(reason) if isinstance(reason, ValueError) else (field and field.description) or "another value"
    if detail["type"] == "missing":
        got = "nothing"
    else:
        got = _shown(detail["input"]) if field is None or field.repr else "a text that is not shown here"
    return Problem(place=place, got=got, expected=expected, hint="compare with config/journal.example.toml")


def _known(loc: list[str]) -> tuple[list[str], FieldInfo | None]:
    """The keys of the table that a finding is in, and the field it is about."""
    table: type[SettingsTable] | None = Settings
    keys, field = list(Settings.model_fields), None
    for part in loc:
        if part.isdigit():  # one of several tables
            continue
        if table is None:  # the name of a [sites.NAME] table
            table = PolicyTable
            keys = list(table.model_fields)
            continue
        keys, field = list(table.model_fields), table.model_fields.get(part)
        kinds = get_args(field.annotation) or (field.annotation,) if field else ()
        table = next((k for k in kinds if isinstance(k, type) and issubclass(k, SettingsTable)), None)
        table = None if part == "sites" else table
    return keys, field


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    text = re.sub(r"//[^/@]*@", "//…@", json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
