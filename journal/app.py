"""The journal's process: the one place where its parts meet.

    stand by ─> link (inbox, directories) ─ judge loop ─ notices ─ guard of the share ─ watchdog

A broker that is away is waited for. A dead mail server is the worker's own affair. Anything unexpected ends the process,
and systemd starts it again: whatever was not committed is sent again by its gateway.
"""

import asyncio
import gc
import logging
import signal
from contextlib import AsyncExitStack

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from gateway.errors import LinkError
from gateway.ports import Clock
from gateway.tasks import apart
from journal.directory import Publisher
from journal.following import follow
from journal.holding import guard, holding
from journal.inbox import MAX_GROUP, Inbox
from journal.judge import JudgeLoop
from journal.keys import Keys, keys_of
from journal.notify.worker import AppriseChannel, Worker
from journal.settings import Settings
from journal.shard import WHOLE, Shard
from journal.store import Store
from sync import systemd
from sync.clock import clock_from_environment
from sync.mqtt import Connection, connect

#: Publishes that the broker may have in flight to us, a group that is written and one that is read: bounds our memory.
RECEIVE_MAXIMUM = 2 * MAX_GROUP
_LONGEST_WAIT = 30.0
_COLLECT = 50_000, 20, 20

_log = logging.getLogger("journal")


async def serve(settings: Settings, store: Store, shard: Shard = WHOLE) -> None:
    """Run until SIGTERM or SIGINT. Raises AttendanceError where an operator must act, in an ExceptionGroup."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(_work(settings, store, shard), name="work")
        await stop.wait()
        systemd.notify(systemd.STOPPING)
        work.cancel()
    _log.info("stopped")


async def _work(settings: Settings, store: Store, shard: Shard) -> None:
    """Stand by until no other worker has this share, then do everything for it."""
    # Entries are many small objects in no circle: to look for circles among them took a quarter of ingest.
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    async with holding(store, shard, _waits) as mine, asyncio.TaskGroup() as tasks:
        clock, keys = clock_from_environment(), await keys_of(settings.state.directory, mine)
        kid = keys.signer().kid
        tasks.create_task(_keep_link(settings, mine, clock, keys), name="link")
        tasks.create_task(JudgeLoop(mine, clock).run(), name="judge")
        tasks.create_task(guard(mine), name="guard")
        if settings.notices.mail is not None:
            worker = Worker(mine, clock, AppriseChannel(settings.notices.mail))
            tasks.create_task(worker.run(), name="notices")
        if (interval := systemd.watchdog_interval()) is not None:
            tasks.create_task(_watchdog(interval, mine), name="watchdog")
        systemd.notify(systemd.READY)
        _log.info("ready", extra={"shard": str(shard), "kid": kid, "broker": settings.broker.url})


def _waits() -> None:
    """Whoever stands by does what systemd started it for."""
    systemd.notify(systemd.READY)
    systemd.notify(systemd.ALIVE)


async def _keep_link(settings: Settings, store: Store, clock: Clock, keys: Keys) -> None:
    """A fresh connection whenever the last one broke; ever longer waits only while the broker does not answer."""
    signer, following, days = keys.signer(), keys.next_signer(), settings.directory.days
    inbox = Inbox(store, signer, clock, _alarm)
    publisher = Publisher(store, signer, clock, _alarm, days=days, following=following)
    # One name for each share: where two think that it is theirs, the broker keeps the newer connection.
    broker = settings.broker.broker("" if store.shard == WHOLE else f"-{store.shard.number}")
    while True:
        async with AsyncExitStack() as stack:
            async for attempt in _patiently():
                with attempt:
                    opening = connect(broker, receive_maximum=RECEIVE_MAXIMUM)
                    connection = await stack.enter_async_context(opening)
            _log.info("connected", extra={"broker": settings.broker.url})
            try:
                await apart(_on(connection, inbox, publisher, store, clock))
            except* LinkError as errors:
                _log.warning("link lost: %s", errors.exceptions[0])
        # A broker that takes us and throws us out at once (two journals of one name) is not asked in a tight circle.
        await asyncio.sleep(1.0)


async def _on(connection: Connection, inbox: Inbox, publisher: Publisher, store: Store, clock: Clock) -> None:
    async with asyncio.TaskGroup() as tasks:
        if store.shard != WHOLE:
            tasks.create_task(follow(connection, store, clock), name="sites")
        tasks.create_task(inbox.serve(connection), name="inbox")
        tasks.create_task(publisher.serve(connection), name="directories")


def _alarm(sentence: str, **fields: object) -> None:
    _log.warning("%s", sentence, extra=fields)


def _patiently() -> AsyncRetrying:
    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        hint = {"hint": error.hint} if isinstance(error, LinkError) else {}
        _log.warning("no broker: %s", error, extra={"attempt": state.attempt_number, **hint})

    return AsyncRetrying(
        retry=retry_if_exception_type(LinkError),
        wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_WAIT),
        before_sleep=tell,
        reraise=True,
    )


async def _watchdog(interval: float, store: Store) -> None:
    """A database that hangs is a journal that takes nothing: systemd shall notice."""
    while True:
        async with store.begin():
            systemd.notify(systemd.ALIVE)
        await asyncio.sleep(interval)
