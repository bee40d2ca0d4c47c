"""What journal.facts asks the database for."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from gateway.domain.entry import ClockData, CoverageData, DeviceData, EpochData, ManualData, PassageData, TapData
from journal.prepared import Value, prepared
from journal.tables import cards, entries, watermarks

_e = entries.c
#: Whatever is told besides taps.
_OTHERS = [kind.type for kind in (EpochData, PassageData, CoverageData, DeviceData, ManualData)]


def _rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    columns = select(_e.token, _e.body, _e.gateway, _e.epoch, _e.boot, _e.seq)
    return columns.where(_e.flag.is_(None), *conditions)


def _within(since: Value, until: Value) -> ColumnElement[bool]:
    return and_(_e.at >= since, _e.at < until)


def _wanted(tokens: Value, *, everybody: bool) -> ColumnElement[bool]:
    taps = _e.type == TapData.type
    return or_(_e.type.in_(_OTHERS), taps if everybody else taps & _e.token.in_(tokens))


def _chain(site: Value, gateway: Value, epoch: Value) -> ColumnElement[bool]:
    return and_(_e.site == site, _e.gateway == gateway, _e.epoch == epoch)


@prepared
def committed(site: Value) -> Select[Any]:
    w = watermarks.c
    return select(w.gateway, w.epoch, w.through).where(w.site == site)


@prepared
def tokens(site: Value, persons: Value) -> Select[Any]:
    return select(cards.c.token).where(cards.c.site == site, cards.c.person.in_(persons)).distinct()


@prepared
def repairs(site: Value, since: Value) -> Select[Any]:
    return _rows(_e.site == site, _e.type == ClockData.type, _e.at >= since)


@prepared
def told(site: Value, since: Value, until: Value, tokens: Value, *, everybody: bool) -> Select[Any]:
    return _rows(_e.site == site, _within(since, until), _wanted(tokens, everybody=everybody))


@prepared
def stands(site: Value, since: Value, until: Value) -> Select[Any]:
    return _rows(_e.site == site, _within(since, until), _e.type.in_([DeviceData.type, ManualData.type]))


@prepared
def told_in_boot(
    site: Value, since: Value, until: Value, tokens: Value, gateway: Value, boot: Value, *, everybody: bool
) -> Select[Any]:
    of_boot = _e.site == site, _e.gateway == gateway, _e.boot == boot
    return _rows(*of_boot, _within(since, until), _wanted(tokens, everybody=everybody))


@prepared
def told_again(site: Value, since: Value, until: Value) -> Select[Any]:
    columns = select(_e.gateway, _e.epoch, _e.seq, _e.origin, _e.flag)
    return columns.where(_e.site == site, _e.type == TapData.type, _e.origin.is_not(None), _within(since, until))


@prepared
def ends(site: Value, since: Value, until: Value) -> Select[Any]:
    columns = select(_e.gateway, _e.epoch, func.min(_e.seq), func.max(_e.seq), func.count())
    return columns.where(_e.site == site, _within(since, until)).group_by(_e.gateway, _e.epoch)


@prepared
def strayed(
    site: Value, gateway: Value, epoch: Value, first: Value, last: Value, since: Value, until: Value
) -> Select[Any]:
    elsewhere = or_(_e.at < since, _e.at >= until)
    return _rows(_chain(site, gateway, epoch), _e.seq.between(first, last), elsewhere)


@prepared
def before(site: Value, gateway: Value, epoch: Value, seq: Value, limit: Value, offset: Value) -> Select[Any]:
    rows = _rows(_chain(site, gateway, epoch), _e.seq < seq).order_by(_e.seq.desc())
    return rows.limit(limit).offset(offset)


@prepared
def after(site: Value, gateway: Value, epoch: Value, seq: Value, limit: Value, offset: Value) -> Select[Any]:
    return _rows(_chain(site, gateway, epoch), _e.seq > seq).order_by(_e.seq).limit(limit).offset(offset)


@prepared
def clocks(site: Value, gateway: Value, epoch: Value, seq: Value, boot: Value) -> Select[Any]:
    of_boot = _e.type == ClockData.type, _e.boot == boot
    return _rows(_chain(site, gateway, epoch), _e.seq > seq, *of_boot).order_by(_e.seq)
