"""A zip as bytes by name, bounded in number and size, also of what is unpacked; its folders do not count, nothing is written."""

import io
import zipfile
import zlib
from collections.abc import Collection

from sync.sources.folder import fold_name
from sync.sources.rows import MAX_BYTES, Problems

MAX_ENTRIES = 1_000
MAX_UNPACKED = 64 * 1024 * 1024
#: Every entry of a zip has one of these in its list of contents.
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
_MIB = 1024 * 1024
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, OverflowError)


def unpack(file: str, data: bytes, wanted: Collection[str], problems: Problems) -> dict[str, bytes]:
    """The wanted files (names as `fold_name` makes them) of a zip; nothing where something is wrong with it."""
    # Before the list is read: a small archive may list millions.
    if len(data) > MAX_BYTES or data.count(_ENTRY) > MAX_ENTRIES:
        expected = f"at most {MAX_ENTRIES} files in {MAX_BYTES // _MIB} MiB"
        problems.add(file, "a larger archive", expected, "this is not the file you mean")
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpacked(file, archive, wanted, problems)
    except _DAMAGE:
        problems.add(file, "no zip, or a damaged one", "a zip, or a folder", "export it again")
        return {}


def _unpacked(file: str, archive: zipfile.ZipFile, wanted: Collection[str], problems: Problems) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    room = MAX_UNPACKED
    for entry in archive.infolist():
        name = fold_name(entry.filename.replace("\\", "/").rpartition("/")[2])
        if name not in wanted:
            continue
        # Other ways to pack are unpacked by the standard library without a limit.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & _ENCRYPTED:
            expected = "an archive without a password, packed as usual"
            problems.add(file, "a file that cannot be unpacked here", expected, "make an ordinary zip")
            return {}
        with archive.open(entry) as stream:
            content = stream.read(min(room, MAX_BYTES) + 1)
        room -= len(content)
        if room < 0 or len(content) > MAX_BYTES:
            expected = f"at most {MAX_BYTES // _MIB} MiB in a file and {MAX_UNPACKED // _MIB} MiB in all"
            problems.add(file, "more when it is unpacked", expected, "this is not the file you mean")
            return {}
        if found.setdefault(name, content) != content:
            problems.add(file, f"another {name}", "each file once", "remove one of them")
    return found
