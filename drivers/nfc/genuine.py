"""Judges whether a card is the tag it seems to be: keys from files, and counters that only rise, also over a power cut."""

import hashlib
import hmac
import os
import re
import sqlite3
import stat
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.frames import BadCard, Card, card
from drivers.nfc import sun
from gateway.domain.credential import Technology
from gateway.domain.model import Assurance
from gateway.errors import DeviceLost

_CREDENTIAL = re.compile(r"credential:([A-Za-z0-9._-]{1,100})")
_KEY = re.compile(r"[0-9A-Fa-f]{32}\s*")
_CREATE, _ACCEPT, _ = files("drivers.nfc").joinpath("counters.sql").read_text("utf-8").split(";")
_PARAMETER = r"^[A-Za-z0-9_-]{1,32}$"


def _key_place(text: str) -> str:
    if not text.startswith("/") and not _CREDENTIAL.fullmatch(text):
        raise ValueError("a key stands in a file of its own: its absolute path, or credential:NAME of systemd")
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("begin it with /: a service has no current directory to rely on")
    return text


KeyPlace = Annotated[str, AfterValidator(_key_place)]


class SunSettings(BaseModel):
    """The keys of a `sun` table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: A file of mode 0600 with 32 hex digits, or `credential:NAME`.
    meta_key: KeyPlace
    #: The same.
    file_key: KeyPlace
    #: Where the highest counter of each tag is kept.
    counters: Annotated[str, AfterValidator(_absolute)]
    #: Whether a card without a SUN message is refused, or counts by its UID.
    require: bool = True
    picc_data: str = Field(default="picc_data", pattern=_PARAMETER)
    cmac: str = Field(default="cmac", pattern=_PARAMETER)
    mac_from: str | None = Field(default=None, pattern=_PARAMETER)
    #: 9 to 24 bytes in hex after the UID, where each tag has a key of its own (AN10922: application and system).
    diversifier: str | None = Field(default=None, pattern="^([0-9A-Fa-f]{2}){9,24}$")

    @property
    def form(self) -> sun.Form:
        """Where in the URL what stands."""
        return sun.Form(picc_data=self.picc_data, cmac=self.cmac, mac_from=self.mac_from)


class Genuine:
    """The keys and the counters, open. Belongs to one thread; others may use the same file of counters."""

    def __init__(self, settings: SunSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        """Raises DeviceLost where a key or the counters cannot be used."""
        settings = self._settings
        diversifier = bytes.fromhex(settings.diversifier) if settings.diversifier is not None else None
        self._keys = sun.Keys(meta=_key(settings.meta_key), file=_key(settings.file_key), diversifier=diversifier)
        try:
            self._counters = sqlite3.connect(settings.counters, isolation_level=None)
            # No -wal and no -shm: those are mapped, and a full disk would then be the end of the process.
            self._counters.execute("PRAGMA journal_mode=TRUNCATE")
            self._counters.execute("PRAGMA synchronous=EXTRA")
            self._counters.execute(_CREATE)
        except sqlite3.Error as error:
            hint = "check the folder and its free space; put the file aside if it is damaged: old messages count again then"
            raise DeviceLost(f"the counters at {settings.counters} cannot be kept: {error}", hint=hint) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._counters.close()

    def judge(self, seen: Card | BadCard, file: bytes | None) -> Card | BadCard:
        """`seen` is what anybody may copy, `file` the NDEF file of a type 4 tag; what comes back may be relied on."""
        url = sun.url(file) if file is not None else None
        message = sun.message(url, self._settings.form) if url is not None else None
        if message is None:
            return _refused(seen, "it shows no SUN message") if self._settings.require else seen
        reading = sun.genuine(message, self._keys)
        # A tag that shows a random UID is known only by its message.
        if reading is None or (isinstance(seen, Card) and seen.credential.uid != reading.uid):
            return _refused(seen, "its SUN message is not genuine")
        try:
            if not self._accept(reading):
                return _refused(seen, "its SUN message was shown before: this is a copy")
        except sqlite3.Error:
            return _refused(seen, "its counter could not be kept")
        known = card(Technology.ISO14443A, reading.uid, seen.raw)
        return replace(known, assurance=Assurance.SUN) if isinstance(known, Card) else known

    def _accept(self, reading: sun.Reading) -> bool:
        # No UID stands on the disk.
        name = hmac.new(self._keys.meta, reading.uid, hashlib.sha256).digest()
        return bool(self._counters.execute(_ACCEPT, (name, reading.counter)).fetchall())


def _refused(seen: Card | BadCard, why: str) -> BadCard:
    technology = seen.credential.technology if isinstance(seen, Card) else seen.technology
    return BadCard(technology=technology, raw=seen.raw, why=why)


def _key(place: str) -> bytes:
    path, mask = Path(place), 0o077
    if credential := _CREDENTIAL.fullmatch(place):
        # Only the service sees that folder, whatever its mode.
        path, mask = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / credential[1], 0
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(100)
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceLost(f"the key {path} cannot be read: {error}", hint=f"look at it with: ls -l {path}") from error
    if mode & mask:
        raise DeviceLost(f"the key {path} can be read by others", hint=f"chmod 600 {path}")
    if not _KEY.fullmatch(text):
        raise DeviceLost(
            f"the key {path} is not 32 hex digits", hint="copy it again from whoever personalised the tags"
        )
    return bytes.fromhex(text)
