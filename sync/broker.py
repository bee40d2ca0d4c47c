"""Where the broker is, how it is trusted, and the connected socket to it; each refusal as a sentence with a next step."""

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.errors import ConfigError, LinkError, TakenOver

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_BAD_CREDENTIALS: Final = frozenset({0x85, 0x86, 0x87, 0x8C})
#: OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_TIME_ERRORS: Final = frozenset({9, 10})
_PEM: Final = (
    "check the configured files: PEM, readable by this user; certificate and key a pair, without a pass phrase"
)
_OTHER_BROKER: Final = "compare the configured address and authority with the broker's certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files in PEM form."""

    #: The authority that signed the broker's certificate; None trusts those of the system.
    ca: Path | None = None
    #: Our certificate, whose common name is the client id.
    certificate: Path | None = None
    #: Its private key, without a pass phrase; None when it is in the same file.
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.3, broker verified by name. Raises LinkError that names the file: a renewed one mends it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            if self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(self.ca)
        except OSError as error:
            raise LinkError(f"{self.ca}: no usable certificate of an authority: {_why(error)}", hint=_PEM) from error
        try:
            if self.certificate is not None:
                # Without this a key with a pass phrase would ask for it on the terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
        except OSError as error:
            files = " with ".join(str(path) for path in (self.certificate, self.key) if path is not None)
            raise LinkError(f"{files}: no usable certificate and key: {_why(error)}", hint=_PEM) from error
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to connect, and as whom."""

    host: str
    port: int
    #: Also the user name and the certificate's common name, by contract.
    client_id: str
    #: None is plain MQTT.
    tls: TlsFiles | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        client_id: str,
        tls: TlsFiles | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> "Broker":
        """`mqtt://host[:1883]` or `mqtts://host[:8883]`; `tls` only for the second. Raises ConfigError."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise ConfigError(f"broker {url!r}: expected mqtt://host:port or mqtts://host:port") from None
        if not parts.hostname or parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
            raise ConfigError(f"broker {url!r}: only scheme, host and port belong here")
        secure = parts.scheme == "mqtts"
        if tls is not None and not secure:
            raise ConfigError(f"broker {url!r}: certificates are given, but mqtt:// does not use them")
        return cls(
            host=parts.hostname,
            port=port,
            client_id=client_id,
            tls=(tls or TlsFiles()) if secure else None,
            username=username,
            password=password,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def refused(self, name: str, code: int) -> LinkError:
        """The CONNACK said no."""
        sentence = f"the broker {self} refused the connection of {self.client_id}: {name} (0x{code:02X})"
        if code in _BAD_CREDENTIALS:
            return LinkError(sentence, hint="compare client id, user name and certificate with the broker's users")
        return LinkError(sentence, hint="the broker's log says more")

    def no_welcome(self) -> LinkError:
        """The connection ended before a CONNACK; under TLS 1.3 this is how a refused client certificate shows."""
        sentence = f"the broker {self} closed the connection before it answered"
        if self.tls is not None:
            certificate = self.tls.certificate or "no client certificate"
            return LinkError(
                f"{sentence} (we showed {certificate})", hint="check that the broker trusts who signed that certificate"
            )
        return LinkError(sentence, hint="check that MQTT 5 is spoken there, and the broker's log")

    def taken_over(self) -> LinkError:
        """DISCONNECT 0x8E: the same client id connected again, elsewhere."""
        return TakenOver(
            f"another client connected as {self.client_id}: this device has a clone, or the program runs twice (0x8E)"
        )


async def dial(broker: Broker, seconds: float) -> socket.socket:
    """A connected socket, after the TLS handshake. Raises LinkError."""
    context = broker.tls.context() if broker.tls is not None else None
    dialling = asyncio.get_running_loop().run_in_executor(None, _dial, broker, context, seconds)
    try:
        return await _within(seconds, dialling)
    except ssl.SSLCertVerificationError as error:
        hint = "check the clock: 'timedatectl'" if error.verify_code in _TIME_ERRORS else _OTHER_BROKER
        authority = broker.tls.ca if broker.tls is not None else None
        raise LinkError(
            f"the certificate of the broker {broker} does not hold against {authority or 'the authorities of the system'}: "
            f"{error.verify_message}",
            hint=hint,
        ) from error
    except (OSError, UnicodeError) as error:
        raise LinkError(
            f"the broker {broker} cannot be reached: {_why(error)}",
            hint="check the configured address of the broker, the network, and that the broker runs",
        ) from error


async def _within(seconds: float, dialling: asyncio.Future[socket.socket]) -> socket.socket:
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(dialling)
    except BaseException:
        # A thread cannot be cancelled; when nobody waits any more, its socket is closed.
        dialling.add_done_callback(_discard)
        raise


def _dial(broker: Broker, context: ssl.SSLContext | None, seconds: float) -> socket.socket:
    plain = socket.create_connection((broker.host, broker.port), seconds)
    # Else a batch waits for the other side's delayed acknowledgement of the PUBACK before it.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=broker.host)
    finally:
        # Wrapping took the descriptor over; where it failed before that, it is ours to close.
        plain.close()


def _discard(dialled: asyncio.Future[socket.socket]) -> None:
    if not dialled.cancelled() and dialled.exception() is None:
        dialled.result().close()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "no answer in time"
