"""The end of a morning: reads all ledgers, asks the journal like an operator, and holds everything against the doors."""

import json
import math
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators import audit, ledgers, oracle
from simulators.ledgers import Record
from simulators.letters import letters
from simulators.mail import Mail
from simulators.oracle import Attempt, Lamp, Rules, Story
from simulators.school import SITE
from simulators.stage import Stage

_STATUSES = ("present", "late", "absent", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice that a parent has heard, or may have heard."""

    pupil: str
    template: str
    recipient: str
    #: False where the journal stopped in the middle of the attempt.
    sent: bool
    #: Simulated time that it stood in the outbox.
    waited: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is found after a morning."""

    #: Entries of all gateways, and those of the journal that were appended by then.
    gateways: Sequence[Record]
    journal: Sequence[Record]
    #: By pupil, the status of the only lesson and its minutes.
    marks: Mapping[str, tuple[str, int]]
    #: In the order in which they were made.
    notices: Sequence[Told]
    mails: Sequence[Mail]


async def gather(stage: Stage) -> Evidence:
    """Read all ledgers, and ask the journal like an operator."""
    # First the gateways: what they append afterwards is not waited for.
    ours = [record for name in stage.gateways for record in ledgers.of_gateway(stage.ledger(name))]
    return Evidence(
        gateways=ours,
        journal=_up_to(ours, ledgers.of_journal(stage.journal_database)),
        marks=await _marks(stage),
        notices=await _notices(stage),
        mails=list(stage.mailbox.mails),
    )


def reconcile(
    stage: Stage,
    attempts: Sequence[Attempt],
    found: Evidence,
    *,
    complete: bool,
    margin: float,
    kills: Mapping[str, Sequence[datetime]],
) -> dict[str, Any]:
    """Everything that was found and expected, ready for JSON; `mismatches` is empty when all of it agrees.

    `complete` is False where a lane was blind; `margin` is in real seconds: for so long, and as long as the slowest entry
    and the slowest mail travelled, a tap after a cut-off may or may not have been known by it; `kills` tells when each
    process was killed.
    """
    doubtful = timedelta(seconds=margin * stage.pace.speed) + slowest(found)
    rules = Rules.of(stage.scenario, complete=complete, margin=doubtful)
    stories = oracle.stories_of(stage.crowd.pupils, attempts, rules)
    key = _site_key(stage)
    entries = audit.entries(attempts, found.gateways, found.journal, site=SITE, secret=key, kills=kills)
    return {
        "taps": len(attempts),
        "green": sum(attempt.lamp is Lamp.GREEN for attempt in attempts),
        "entries": len(found.gateways),
        "journal_entries": len(found.journal),
        "duplicates": entries.duplicates,
        "gaps": entries.gaps,
        **_counts(found),
        **_heard(stories, found),
        "mismatches": [*oracle.lamps(stage.crowd, attempts), *entries.mismatches, *_lies(stage, stories, found)],
        **_latencies(stage, attempts, entries.matched, found),
        "gateway_rss_mib": _memory(stage),
    }


def _lies(stage: Stage, stories: Mapping[str, Story], found: Evidence) -> Iterator[str]:
    said, unsure, arrived = _mailboxes(found)
    told = _by_pupil(found.notices)
    yield from oracle.marks(stories, found.marks)
    yield from oracle.notices(stories, told)
    yield from oracle.mails(said, unsure, arrived)
    yield from letters(stage.crowd.pupils, stories, told, found.mails, ZoneInfo(stage.scenario.zone))


def _heard(stories: Mapping[str, Story], found: Evidence) -> dict[str, Any]:
    """Notices, and what was expected of them and of the marks."""
    said, unsure, arrived = _mailboxes(found)
    # Killed in the middle of the attempt, and before the mail server had it: nobody tells it again by itself.
    unheard = sum(max(0, said[who] + unsure[who] - arrived[who]) for who in unsure)
    between = expected_between(stories.values(), unheard)
    counts = _counts(found)
    return {
        "notices_by_template": dict(sorted(Counter(notice.template for notice in found.notices).items())),
        "notices_uncertain": unsure.total(),
        "expected": {word: max(least, min(most, counts[word])) for word, (least, most) in between.items()},
        "expected_between": between,
    }


def expected_between(stories: Collection[Story], unheard: int = 0) -> dict[str, tuple[int, int]]:
    """Least and most of each status and of the mails; they differ where several stories of a pupil are true."""
    statuses = [{status for status, _ in story.marks} for story in stories]
    counts = [[len(templates) for templates in story.notices] for story in stories]
    return {
        status: (sum(of == {status} for of in statuses), sum(status in of for of in statuses)) for status in _STATUSES
    } | {"notices": (sum(map(min, counts)) - unheard, sum(map(max, counts)) - unheard)}


def _counts(found: Evidence) -> dict[str, int]:
    statuses = Counter(status for status, _ in found.marks.values())
    return {status: statuses[status] for status in _STATUSES} | {"notices": len(found.mails)}


def _mailboxes(found: Evidence) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By address: what the journal sent, what it may have sent, and what arrived."""
    said = Counter(notice.recipient for notice in found.notices if notice.sent)
    unsure = Counter(notice.recipient for notice in found.notices if not notice.sent)
    return said, unsure, Counter(mail.recipient for mail in found.mails)


def slowest(found: Evidence) -> timedelta:
    """Simulated time from when something happened until the journal had it, and from there to a parent, at most.

    A message that waits in a long line is withdrawn when it becomes false meanwhile.
    """
    travelled = (r.received - r.at for r in found.journal if r.received is not None)
    waited = (notice.waited for notice in found.notices)
    return max(travelled, default=timedelta(0)) + max(waited, default=timedelta(0))


def _up_to(ours: Iterable[Record], theirs: Iterable[Record]) -> list[Record]:
    newest: dict[tuple[str, str], int] = {}
    for record in ours:
        newest[record.gateway, record.epoch] = max(record.seq, newest.get((record.gateway, record.epoch), 0))
    return [r for r in theirs if r.seq <= newest.get((r.gateway, r.epoch), r.seq)]


async def _marks(stage: Stage) -> dict[str, tuple[str, int]]:
    """By pupil, the status of the only lesson and its minutes."""
    report = json.loads(await stage.ask_journal("report", "--date", stage.scenario.date.isoformat(), "--json"))
    return {
        pupil["person"]: (pupil["status"], pupil["minutes_late"])
        for group in report["classes"]
        for pupil in group["pupils"]
    }


async def _notices(stage: Stage) -> list[Told]:
    """What the journal says it sent, or may have sent, in the order in which it was due."""
    rows = json.loads(await stage.ask_journal("notify", "list", "--json"))
    return [
        Told(
            pupil=row["person"],
            template=row["template"],
            recipient=row["recipient"],
            sent=row["state"] == "sent",
            waited=datetime.fromisoformat(row["sent_at"] or row["created"]) - datetime.fromisoformat(row["created"]),
        )
        for row in sorted(rows, key=lambda row: row["id"])
        if row["state"] in ("sent", "uncertain")
    ]


def _by_pupil(notices: Iterable[Told]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for notice in notices:
        told.setdefault(notice.pupil, []).append(notice.template)
    return told


def _site_key(stage: Stage) -> bytes:
    enrolment = tomllib.loads((stage.folder / stage.gateways[0] / "enrolment.toml").read_text(encoding="utf-8"))
    return bytes.fromhex(enrolment["site_keys"]["1"])


def _latencies(
    stage: Stage,
    attempts: Iterable[Attempt],
    matched: Iterable[tuple[Attempt, Record]],
    found: Evidence,
) -> dict[str, dict[str, float | None]]:
    """In real milliseconds, each from the moment the card came into the field."""
    pace, people = stage.pace, {pupil.id: pupil for pupil in stage.crowd.pupils}
    came = {a.pupil: pace.real(a.presented) for a in attempts if a.lamp is Lamp.GREEN}
    late = {notice.pupil for notice in found.notices if notice.template == "late"} & came.keys()
    shown = [pace.real(a.ended) - pace.real(a.presented) for a in attempts if a.lamp is not None]
    counted = [pace.real(r.received) - pace.real(a.presented) for a, r in matched if r.received is not None]
    mailed = [
        mail.received - came[name]
        for name in sorted(late)
        for mail in found.mails
        if mail.recipient == people[name].mail
    ]
    return {
        "tap_to_show_ms": percentiles(shown, 50, 99),
        "tap_to_journal_ms": percentiles(counted, 50, 99),
        "late_to_mail_ms": percentiles(mailed, 50, 95),
    }


def percentiles(seconds: Iterable[float], *percents: int) -> dict[str, float | None]:
    """By nearest rank, in milliseconds; null where nothing was measured."""
    ordered = sorted(seconds)
    return {
        f"p{percent}": round(1000 * ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)], 1)
        if ordered
        else None
        for percent in percents
    }


def _memory(stage: Stage) -> float:
    """Most resident memory of any gateway in any of its lives."""
    for name in stage.gateways:
        stage.children[name].weigh()
    return round(max(stage.children[name].peak_rss for name in stage.gateways) / 2**20, 1)
