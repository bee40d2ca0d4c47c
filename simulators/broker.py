"""A real MQTT 5 broker on loopback: mosquitto where it is installed, else rumqttd from the wheel `iotcore`."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from enum import StrEnum

from gateway.errors import ConfigError
from simulators.processes import leash


class BrokerKind(StrEnum):
    """Which broker."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    IOTCORE = "iotcore"


_RUMQTTD = """
id = 0

[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = 131072
max_inflight_count = 200
dynamic_filters = true
"""


def mosquitto() -> str | None:
    """Where the program is; Debian puts it where a user's PATH may not look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def command(kind: BrokerKind, port: int) -> list[str]:
    """The command that runs a broker. Raises ConfigError."""
    program = mosquitto()
    if kind is BrokerKind.MOSQUITTO and program is None:
        raise ConfigError("mosquitto is not on PATH", hint="apt install mosquitto, or --broker iotcore")
    if program is not None and kind is not BrokerKind.IOTCORE:
        # Without a configuration file it serves loopback only, keeps nothing and asks for no password.
        return [program, "-p", str(port)]
    return [sys.executable, "-m", "simulators", "broker", "--port", str(port), "--kind", BrokerKind.IOTCORE.value]


def serve(kind: BrokerKind, port: int) -> None:
    """Runs until it is told to end. Raises ConfigError; SystemExit with the status of mosquitto."""
    line = command(kind, port)
    if line[0] != sys.executable:
        raise SystemExit(_attend(line))
    try:
        from iotcore import IotCoreBroker  # noqa: PLC0415 - an extra that only this command needs
    except ImportError as error:
        raise ConfigError("here is neither mosquitto nor iotcore", hint="pip install '.[simulators]'") from error
    # rumqttd reports every packet in spans of level error.
    logging.basicConfig()
    # run_forever never returns to where Python would look at a signal.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL + 1)
    with tempfile.NamedTemporaryFile("w", prefix="rumqttd-", suffix=".toml", encoding="ascii") as settings:
        settings.write(_RUMQTTD.format(port=port))
        settings.flush()
        IotCoreBroker(config_path=settings.name).run_forever()


def _attend(line: list[str]) -> int:
    """As a child: for mosquitto SIGHUP is no reason to end, and it would outlive a closed terminal."""
    with subprocess.Popen(line, preexec_fn=leash()) as broker:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: broker.terminate())
        return broker.wait()
