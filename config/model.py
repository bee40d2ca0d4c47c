"""The shape of gateway.toml and of the enrolment file: what each key means and what may stand there.

A field's comment is its meaning; its `description` says what may stand there and ends up in errors as "expected …";
its `examples` end up in their hints. Driver settings are collected here and judged by the driver's kind.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, Strict

from gateway.domain.credential import SiteKey
from gateway.domain.handshake import Hash
from gateway.domain.handshake import Name as WireName
from gateway.domain.model import LaneDirection

PORTS = {"mqtt": 1883, "mqtts": 8883}
#: Under this key the reader of the file tells a lane where it stands; nobody writes it by chance.
PLACE = "[place]"

_DEVICE_ADDRESS = re.compile(r"(?P<device>[a-z0-9-]{1,32})(?:/(?P<address>[!-~]{1,64}))?")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAddress:
    """A reader or gate: the device's id, and where on that device."""

    device: str
    #: "" is the only one of a device that has one.
    address: str = ""

    @classmethod
    def parse(cls, text: object) -> "DeviceAddress":
        """Raises ValueError."""
        found = _DEVICE_ADDRESS.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(
                "write the id of a [[devices]] table, and after a slash the address on it if it has several"
            )
        return cls(device=found["device"], address=found["address"] or "")

    def __str__(self) -> str:
        return f"{self.device}/{self.address}" if self.address else self.device


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("begin it with /: a service has no current directory to rely on")
    return path


def _broker(url: str) -> str:
    if url == "none":
        return url
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not _HOST.fullmatch(parts.hostname or "") or parts.port == 0:
        raise ValueError("mqtts:// to a broker elsewhere, mqtt:// to one on this machine")
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise ValueError("only scheme, host and port: the gateway logs in with its certificate")
    if parts.scheme == "mqtt" and not _is_loopback(parts.hostname or ""):
        raise ValueError("plain MQTT never leaves the machine: use mqtts://, or 127.0.0.1")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _site_key(text: object) -> bytes:
    try:
        secret = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        secret = b""
    if not 32 <= len(secret) <= 64:
        raise ValueError("copy the enrolment file again: 'attendance-journal gateway add' writes it")
    return secret


Name = Annotated[WireName, Field(description="1 to 32 of a-z, 0-9 and -")]
Address = Annotated[
    DeviceAddress, PlainValidator(DeviceAddress.parse), Field(description='"device-id" or "device-id/address"')
]
AbsolutePath = Annotated[Path, AfterValidator(_absolute), Field(description="an absolute path")]
Secret = Annotated[bytes, PlainValidator(_site_key)]
Version = Annotated[int, Field(ge=1, le=999)]


class Table(BaseModel):
    """One TOML table. A key that nobody knows is a mistake, not a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class StateConfig(Table):
    """What the gateway keeps."""

    #: Where ledger.db, gateway.key and directory.json live.
    directory: AbsolutePath = Field(examples=["/var/lib/attendance-gateway"])

    @property
    def ledger(self) -> Path:
        """The database of everything that was appended."""
        return self.directory / "ledger.db"

    @property
    def key(self) -> Path:
        """The gateway's private key."""
        return self.directory / "gateway.key"

    @property
    def roster(self) -> Path:
        """The last good directory."""
        return self.directory / "directory.json"


class EnrolmentConfig(Table):
    """How this gateway and its journal know each other."""

    #: The file that `attendance-journal gateway add` wrote, or without a journal `attendance-gateway enroll`; it holds the site key.
    file: AbsolutePath = Field(examples=["/etc/attendance-gateway/enrolment.toml"])


class UplinkConfig(Table):
    """The way to the broker."""

    #: Where the broker listens; "none" keeps everything here until it is exported.
    url: Annotated[str, AfterValidator(_broker)] = Field(
        description='"mqtts://host:port", "mqtt://127.0.0.1:port" or "none"', examples=["mqtts://journal.example:8883"]
    )
    #: Certificate of the authority that signed the broker's; for mqtts.
    ca: AbsolutePath | None = Field(default=None, examples=["/etc/attendance-gateway/ca.crt"])
    #: This gateway's certificate, whose common name is the gateway's id; for mqtts.
    certificate: AbsolutePath | None = Field(default=None, examples=["/etc/attendance-gateway/gateway.crt"])
    #: The private key of that certificate; for mqtts.
    key: AbsolutePath | None = Field(default=None, examples=["/etc/attendance-gateway/gateway-tls.key"])
    #: Seconds of silence after which either side looks whether the other is there.
    keepalive: Annotated[int, Strict(), Field(ge=5, le=300)] = Field(
        default=30, description="whole seconds from 5 to 300", examples=[30]
    )

    @property
    def broker(self) -> tuple[str, int] | None:
        """Host and port; None without an uplink."""
        if self.url == "none":
            return None
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORTS[parts.scheme]

    @property
    def certificates(self) -> dict[str, Path | None]:
        """By what they are called in health."""
        return {"certificate": self.certificate, "authority": self.ca} if self.tls else {}

    @property
    def tls(self) -> bool:
        """Whether ca, certificate and key are in use."""
        return self.url.startswith("mqtts:")


class DeviceConfig(Table):
    """A serial port, a bus, a USB reader."""

    #: How [[lanes]] name it.
    id: Name = Field(examples=["door-serial"])
    #: Which driver; drivers/README.md lists the kinds.
    kind: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = Field(
        description="the name of a driver", examples=["rdm6300"]
    )
    #: Every further key of the table, judged by the driver.
    settings: dict[str, object] = Field(default_factory=dict, repr=False, exclude=True)
    #: Where the table stands, for the driver's errors.
    place: str = Field(default="", exclude=True)


class LaneConfig(Table):
    """A way through the entrance: a reader, perhaps a gate, and a direction."""

    #: Names the lane in the ledger, in health and in reports.
    id: Name = Field(examples=["north-in"])
    #: What a tap here says about the way.
    direction: LaneDirection = Field(examples=["in"])
    #: Which reader; an address where the device has several.
    reader: Address = Field(examples=["door-serial"])
    #: Which lamp and bolt, if any.
    gate: Address | None = Field(default=None, examples=["door-relay/1"])
    #: What the bolt does when a tap cannot be recorded.
    on_storage_failure: Literal["admit", "refuse"] = Field(default="admit", examples=["admit"])
    #: Who can read the gate's screen: lateness stands only where it is the pupil and the guard.
    screen: Literal["public", "private"] = Field(default="public", examples=["public"])
    #: How long a permit waits for its rotation; absent where the gate reports none.
    passage_seconds: Annotated[float, Strict(), Field(ge=1, le=60, description="seconds from 1 to 60")] | None = Field(
        default=None, examples=[6.0]
    )
    #: Where the table stands, for what a driver says of its addresses.
    place: str = Field(default="", exclude=True, validation_alias=PLACE)


class RetentionConfig(Table):
    """How long what the journal has is kept here as well."""

    #: Days after which a settled entry may be removed.
    days: Annotated[int, Strict(), Field(ge=1, le=3650)] = Field(
        default=30, description="whole days from 1 to 3650", examples=[30]
    )


class GatewayConfig(Table):
    """Everything in gateway.toml."""

    #: The school, as it is registered in the journal.
    site: Name = Field(examples=["school-12"])
    #: This gateway, as it is registered in the journal.
    gateway: Name = Field(examples=["main-entrance"])
    #: What the screens at the gates speak.
    language: Literal["ru", "en"] = Field(default="ru", examples=["ru"])
    state: StateConfig
    enrolment: EnrolmentConfig
    uplink: UplinkConfig
    devices: tuple[DeviceConfig, ...] = Field(min_length=1, max_length=64, description="1 to 64 [[devices]] tables")
    lanes: tuple[LaneConfig, ...] = Field(min_length=1, max_length=64, description="1 to 64 [[lanes]] tables")
    retention: RetentionConfig = RetentionConfig()


class EnrolmentFile(Table):
    """Everything in the enrolment file."""

    #: The school.
    site: Name = Field(examples=["school-12"])
    #: The gateway that this file is for.
    gateway: Name = Field(examples=["main-entrance"])
    #: Keys with which the journal may sign; left out where none is.
    journal_keys: tuple[Hash, ...] = Field(
        default=(), min_length=1, max_length=4, description="one to four public keys of 64 lower-case hex digits"
    )
    #: By version, the secrets under which the site's cards become tokens.
    site_keys: dict[Version, Secret] = Field(
        min_length=1, max_length=4, repr=False, description='one to four of: version = "64 to 128 hex digits"'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """How a gateway and its journal know each other."""

    site: str
    gateway: str
    #: Raw Ed25519 public keys that the gateway trusts.
    journal_keys: tuple[bytes, ...]
    #: Newest version first: tokens are made under the first, all of them are looked up.
    site_keys: tuple[SiteKey, ...]
