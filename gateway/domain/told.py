"""What the gateway says of itself on `health`: retained, every minute and on change, nothing personal.

Readers of it take unknown keys for granted: what is worth telling grows.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Count = Annotated[int, Field(ge=0)]


class LaneTold(BaseModel):
    """One lane."""

    model_config = ConfigDict(extra="allow")

    #: Whether its reader is heard.
    reader: bool
    #: Whether its gate is there.
    gate: bool
    #: How many taps the disk did not take since the start: each was "not recorded" at the lamp.
    not_recorded: Count


class LinkTold(BaseModel):
    """The way to the journal."""

    model_config = ConfigDict(extra="allow")

    connected: bool
    #: What ended the last session, until a receipt comes in a later one.
    error: str | None
    #: Batches that the journal does not count, first-last:code.
    refused: list[str]
    #: Entries that the journal asks for and that are not kept any more, first-last.
    gone: str | None
    #: Messages that were dropped, by reason.
    dropped: dict[str, Count]
    #: How often another device was met under this gateway's name.
    clones: Count


class CertificateTold(BaseModel):
    """A certificate of the link."""

    model_config = ConfigDict(extra="allow")

    #: Its end; null where it cannot be read.
    until: Time | None
    #: Whether that is near.
    soon: bool


class Health(BaseModel):
    """Gateway → journal, retained on `health`."""

    model_config = ConfigDict(extra="allow")

    version: str
    time: Time
    clock: str
    lanes: dict[str, LaneTold]
    #: Entries without a receipt.
    queue: Count
    #: Since when the oldest of them was recorded, in seconds.
    queue_seconds: Count | None
    #: Newest seq.
    last: Count
    #: Version of the directory in use; null without one.
    directory: Count | None
    directory_valid_until: Time | None
    #: Why the newest directory is not in use.
    directory_error: str | None
    link: LinkTold
    #: Free bytes where the ledger is.
    disk_free: Count | None
    #: Whether the room that is kept for a full disk is still there.
    reserve: bool
    #: By lane, what its reader could not make sense of, counted.
    faults: dict[str, dict[str, Count]]
    certificates: dict[str, CertificateTold]
