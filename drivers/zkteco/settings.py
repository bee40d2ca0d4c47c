"""The keys of a zkteco device and of each of its terminals, judged without touching anything."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


def _split(url: str, scheme: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme != scheme or not parts.port or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(f"write {scheme}://, an address and a port")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"only {scheme}://, address and port")
    return parts


def _served(url: str) -> str:
    host = _split(url, "http").hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise ValueError("the address of this machine in the network of the terminals; 'ip -brief address'") from error
    return url


def _pulled(url: str) -> str:
    _split(url, "tcp")
    return url


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (
        OSError,
        ValueError,
    ) as error:  # an unknown name is a KeyError of its own, and an OSError where it is a folder
        raise ValueError('an IANA zone, for example "Europe/Moscow"') from error
    except KeyError as error:
        raise ValueError('an IANA zone, for example "Europe/Moscow"') from error
    return name


def _file(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("begin it with /: a service has no current directory to rely on")
    return path


def host_and_port(url: str) -> tuple[str, int]:
    """Of a url that was judged."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


class TerminalSettings(BaseModel):
    """The keys of a [[devices.terminals]] table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: As it stands in the terminal's menu; the address of its lane's reader.
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    #: The zone that its clock shows.
    zone: Annotated[str, AfterValidator(_zone)]
    #: From where alone it is heard; None is from anywhere in its network.
    address: Annotated[str, AfterValidator(_address)] | None = None
    #: Whether the keys for in and out are in use; otherwise the lane knows the way.
    status_tells: bool = False
    #: Where its own log is asked for.
    pull: Annotated[str, AfterValidator(_pulled)] | None = None
    #: Its communication key.
    comm_key: Annotated[int, Field(ge=0, le=999_999)] = 0


class Settings(BaseModel):
    """The keys of a zkteco [[devices]] table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Where the terminals find the gateway.
    url: Annotated[str, AfterValidator(_served)] = Field(
        description='"http://address:port" of this machine', examples=["http://192.168.5.10:8081"]
    )
    #: All that are heard.
    terminals: tuple[TerminalSettings, ...] = Field(
        strict=False,
        min_length=1,
        max_length=32,
        description="[[devices.terminals]] tables with serial, zone, and perhaps address, status_tells, pull, comm_key",
        examples=[[{"serial": "CJDE193560001", "zone": "Europe/Moscow"}]],
    )
    #: Where it is kept how far each terminal has told.
    stamps: Annotated[str, AfterValidator(_file)] | None = Field(
        default=None, description="an absolute path", examples=["/var/lib/attendance-gateway/terminals.json"]
    )
    #: Who shall be known to the terminals: lines of PIN and card number.
    users: Annotated[str, AfterValidator(_file)] | None = Field(
        default=None, description="an absolute path", examples=["/etc/attendance-gateway/terminal-users.csv"]
    )
    #: Between two looks into a terminal's own log.
    pull_seconds: float = Field(default=300.0, ge=0.05, le=86400, description="seconds up to 86400", examples=[300.0])
