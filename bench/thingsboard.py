"""ThingsBoard IoT Gateway's SQLite storage as a process like bench.gate: numbers come in, packs go out.

Runs in an environment of its own and imports nothing of ours. Events are put, and packs taken, sent and done with, in the
way and with the defaults of tb_gateway_service.py 3.8.5. Kinder than there: an event is in the storage's hands before it is
accepted, even after a start without a broker; and nothing is done with before the broker has acknowledged it.
"""

import json
import logging
import os
import sys
import threading
import time

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

TOPIC = "v1/gateway/telemetry"
_MIN_PACK_SEND_DELAY, _RECONNECT, _CONFIRMATION = 0.05, 1.0, 1.0


class _Logger(logging.Logger):
    """Theirs has one more level."""

    def trace(self, *_: object, **__: object) -> None:
        """Below what is shown."""


def _event(line: str) -> str:
    values = {"event": int(line), "token": f"1:{int(line):032x}", "lane": "north-1", "direction": "in"}
    values |= {"technology": "iso14443a", "assurance": "uid", "admit": True, "reason": "known", "status": "late"}
    telemetry = [{"ts": time.time_ns() // 1_000_000, "values": values}]
    return json.dumps({"deviceName": "door-1", "deviceType": "default", "telemetry": telemetry}, separators=(",", ":"))


def _send(storage: SQLiteEventStorage, client: Client) -> None:
    packs = 0
    while True:
        if not client.is_connected():
            time.sleep(_RECONNECT)
            continue
        events = [json.loads(event) for event in storage.get_event_pack()]
        if not events:
            time.sleep(_MIN_PACK_SEND_DELAY)
            continue
        packs += 1
        # Named, so that what the broker delivers twice is not taken for theirs.
        pack = {"pack": f"{os.getpid()}/{packs}", "events": [event["telemetry"][0]["values"] for event in events]}
        sent = client.publish(TOPIC, json.dumps(pack), qos=1)
        sent.wait_for_publish(_CONFIRMATION)
        if sent.is_published() and client.is_connected():
            storage.event_pack_processing_done()


def main(folder: str, port: int) -> None:
    """Until it is killed."""
    logger = _Logger("storage", logging.WARNING)
    storage = SQLiteEventStorage({"type": "sqlite", "data_file_path": f"{folder}/"}, logger, threading.Event())
    client = Client(CallbackAPIVersion.VERSION2, client_id="thingsboard")
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    threading.Thread(target=_send, args=(storage, client), daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        if storage.put(_event(line)):
            sys.stdout.write(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
