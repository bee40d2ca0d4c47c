"""The directory as the gateway receives and keeps it: verified, complete and newer, or not at all.

    manifest -> signature, site, newer? -> parts, each by its SHA-256 -> whole -> parsed -> disk -> memory

Every step may fail, and then nothing has changed: the last good directory stays, `error` says why, and it is tried
again, later each time, until it is in use or a newer one has arrived.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.directory import Content, Directory
from gateway.domain.handshake import Manifest
from gateway.domain.parts import assemble, check_part, digest
from gateway.errors import AttendanceError, LinkError, MalformedMessage
from gateway.ports import Clock
from sync.files import write_whole
from sync.local import local_path, read_local, stamp
from sync.relay import Backoff
from sync.signing import Keyring

#: Keys of the journal that a manifest announced; the oldest falls out.
MAX_LEARNED_KEYS: Final = 8
_PART_SECONDS: Final = 60.0
#: Until a directory that failed is tried again: about so long at first, and never longer.
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 600.0

T = TypeVar("T")


class Shelf(Protocol):
    """Where directories lie: an uplink."""

    def manifests(self) -> AsyncIterator[bytes]:
        """As they arrive, unverified. Raises LinkLost."""
        ...

    async def part(self, sha256: str) -> bytes:
        """The part of that name as soon as it is there, unverified. Raises LinkLost."""
        ...


class DirectoryReceiver:
    """Keeps the newest directory of one site in a file, the keys learned from manifests beside it.

    The constructor touches nothing; `load` reads what is kept.
    """

    def __init__(self, path: Path, *, site: str, keys: Iterable[bytes], clock: Clock) -> None:
        self._path, self._site, self._clock = path, site, clock
        self._pinned = tuple(keys)
        self._learned: tuple[bytes, ...] = ()
        #: Whose signature holds now: the pinned keys and those that a valid manifest announced.
        self.keys = Keyring(self._pinned)
        #: The directory to decide by; replaced as a whole.
        self.current = Directory.empty()
        #: Why the newest manifest is not in use, and what to do about it; None when it is.
        self.error: str | None = None
        self.hint: str | None = None
        # A day turns on what was parsed once: a second parse would hold up every tap for its time, this costs 1 MiB.
        self._kept: tuple[Manifest, Content] | None = None
        self._days: tuple[datetime, datetime] | None = None
        #: When the operator imported what is in use, where no journal ever sent anything.
        self._imported: int | None = None

    @property
    def keys_path(self) -> Path:
        """Where learned keys are kept, a public key in hex a line."""
        return self._path.with_name("journal-keys")

    async def load(self) -> None:
        """Take over what is on the disk. Of an unusable file nothing is taken over, and the error names it."""
        failed = []
        for load in (self._load_keys, self._load_content, self._load_local):
            try:
                await load()
            except (AttendanceError, OSError) as error:
                failed.append(error)
        if failed:
            self._fail(*failed)

    async def receive(self, shelf: Shelf) -> None:
        """Take over every newer directory, until the link is lost. Raises LinkLost."""
        manifests = aiter(shelf.manifests())
        arrival = asyncio.ensure_future(anext(manifests))
        wanted, backoff = None, _backoff()
        try:
            while True:
                payload = await arrival
                arrival = asyncio.ensure_future(anext(manifests))
                try:
                    wanted, backoff = self._checked(payload, wanted), _backoff()
                except AttendanceError as error:
                    self._fail(error)
                while wanted is not None and not arrival.done():
                    if await self._tried(shelf, wanted, arrival):
                        wanted = None
                    else:
                        await asyncio.wait({arrival}, timeout=backoff.pause())
        finally:
            await _give_up(arrival)

    async def turn_day(self) -> None:
        """At a new day in the zone of the directory: index its slots and those of the next one; or a new import."""
        try:
            await self._load_local()
            if self._kept is not None and two_days(self.current.zone, self._clock.now().at) != self._days:
                self._use(*self._kept)
        except (AttendanceError, OSError) as error:
            self._fail(error)

    def _checked(self, payload: bytes, wanted: Manifest | None) -> Manifest:
        manifest = Manifest.parse(payload)
        self.keys.check(manifest)
        if manifest.site != self._site:
            raise MalformedMessage(f"the directory is that of site {manifest.site}, this is {self._site}")
        newest = wanted.version if wanted is not None else self.current.version
        if newest is not None and manifest.version < newest:
            raise MalformedMessage(f"the directory {manifest.version} is older than {newest}, which is known here")
        return manifest

    async def _tried(self, shelf: Shelf, manifest: Manifest, arrival: "asyncio.Future[bytes]") -> bool:
        """Whether the directory is in use now; False also when another manifest arrived before its parts."""
        try:
            await self._trust(manifest)
            if manifest.version != self.current.version:
                parts = await _before(arrival, _fetch_all(shelf, manifest))
                if parts is None:
                    return False
                raw = assemble(manifest, parts)
                content = await asyncio.to_thread(self._parse, manifest, raw)
                await asyncio.to_thread(write_whole, self._path, manifest.payload() + b"\n" + raw)
                self._use(manifest, content)
        except LinkError:
            raise
        except (AttendanceError, OSError) as error:
            self._fail(error)
            return False
        self.error = self.hint = None
        return True

    async def _trust(self, manifest: Manifest) -> None:
        """From now on the announced keys hold, even if the rest of this directory never comes."""
        fresh = [key for key in map(bytes.fromhex, manifest.next_keys) if key not in self._pinned]
        if fresh and not set(fresh) <= set(self._learned):
            kept = [key for key in self._learned if key not in fresh]
            learned = [*kept, *fresh][-MAX_LEARNED_KEYS:]
            await asyncio.to_thread(
                write_whole, self.keys_path, "".join(f"{key.hex()}\n" for key in learned).encode("ascii")
            )
            self._learn(learned)

    def _learn(self, keys: Iterable[bytes]) -> None:
        self._learned = tuple(keys)
        self.keys = Keyring([*self._pinned, *self._learned])

    async def _load_keys(self) -> None:
        self._learn(await asyncio.to_thread(_read_keys, self.keys_path))

    async def _load_content(self) -> None:
        found = await asyncio.to_thread(_read, self._path)
        if found is None:
            return
        manifest, raw = found
        self.keys.check(manifest)
        if digest(raw) != manifest.sha256:
            raise MalformedMessage(f"{self._path} is damaged", hint="it mends itself: the journal sends it again")
        self._use(manifest, await asyncio.to_thread(self._parse, manifest, raw))

    async def _load_local(self) -> None:
        """What the operator imported, if it is new or a new day, as long as there is no directory of a journal."""
        path = local_path(self._path)
        imported = None if self._kept is not None else stamp(path)
        if imported is None:
            return
        same_day = self._days == two_days(self.current.zone, self._clock.now().at)
        if imported == self._imported and same_day:
            return
        if (local := await asyncio.to_thread(read_local, path)) is not None and self._kept is None:
            if local.content.site != self._site:
                raise MalformedMessage(f"{path} is of site {local.content.site}, this is {self._site}")
            days, until = two_days(local.content.zone, self._clock.now().at), _moment(local.valid_until)
            self.current = Directory.of(local.content, version=None, valid_until=until, days=days)
            self._imported, self._days = imported, days
            self.error = self.hint = None

    def _parse(self, manifest: Manifest, raw: bytes) -> Content:
        content = Content.parse(raw)
        for site in (manifest.site, content.site):
            if site != self._site:
                raise MalformedMessage(f"the directory is that of site {site}, this is {self._site}")
        # What can fail of it fails before the disk is touched.
        two_days(content.zone, self._clock.now().at)
        _moment(manifest.valid_until)
        return content

    def _use(self, manifest: Manifest, content: Content) -> None:
        days = two_days(content.zone, self._clock.now().at)
        valid_until = _moment(manifest.valid_until)
        self.current = Directory.of(content, version=manifest.version, valid_until=valid_until, days=days)
        self._kept, self._days = (manifest, content), days

    def _fail(self, *errors: AttendanceError | OSError) -> None:
        room = f"check rights and space of {self._path.parent}"
        hints = (error.hint if isinstance(error, AttendanceError) else room for error in errors)
        self.error, self.hint = "; ".join(map(str, errors)), "; ".join(dict.fromkeys(hints))


def two_days(zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Today and tomorrow as the zone counts them, [first, second). Raises MalformedMessage for an unknown zone."""
    try:
        info = ZoneInfo(zone)
    except (OSError, ValueError, KeyError) as error:
        raise MalformedMessage(f"the directory's zone {zone!r} is not known here", hint="apt install tzdata") from error
    today = now.astimezone(info).date()
    first, second = (datetime.combine(day, time(), info) for day in (today, today + timedelta(days=2)))
    return first.astimezone(UTC), second.astimezone(UTC)


def _backoff() -> Backoff:
    return Backoff(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)


async def _before(arrival: "asyncio.Future[bytes]", work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None, and the work is given up, when the arrival was first. Raises what the work raises."""
    task = asyncio.create_task(work)
    either: set[asyncio.Future[Any]] = {task, arrival}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        await _give_up(task)


async def _give_up(future: "asyncio.Future[Any]") -> None:
    future.cancel()
    await asyncio.gather(future, return_exceptions=True)


async def _fetch_all(shelf: Shelf, manifest: Manifest) -> list[bytes]:
    return [await _fetch(shelf, name) for name in manifest.parts]


async def _fetch(shelf: Shelf, name: str) -> bytes:
    try:
        async with asyncio.timeout(_PART_SECONDS):
            part = await shelf.part(name)
    except TimeoutError:
        raise MalformedMessage(
            f"part {name[:16]}… of the directory did not come within {_PART_SECONDS:g} s",
            hint="publish the directory again: 'attendance-journal directory publish SITE'",
        ) from None
    check_part(name, part)
    return part


def _moment(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise MalformedMessage(f"the directory is valid until {milliseconds} ms, which is no date") from error


def _read(path: Path) -> tuple[Manifest, bytes] | None:
    try:
        line, _, raw = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return Manifest.parse(line), raw


def _read_keys(path: Path) -> list[bytes]:
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise MalformedMessage(f"{path} is damaged: {error}", hint=f"remove {path} and enrol again") from error
    if any(len(key) != 32 for key in keys):
        raise MalformedMessage(f"{path} is damaged: a key has 32 bytes", hint=f"remove {path} and enrol again")
    return keys
