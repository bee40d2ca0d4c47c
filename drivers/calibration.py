"""Which settings of a kind make its reader tell a card that somebody knows. Pure: what was heard is an argument.

Every word that a setting may have is tried, and the examples of the settings that are texts; what changes least is taken.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from drivers.frames import Card, Codec
from gateway.domain.credential import Credential, Technology
from gateway.errors import CredentialRefused

#: How much of a longer number a print leaves over, and what that is then.
_CUT = {3: Technology.WIEGAND26, 4: Technology.WIEGAND34}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Settings, and what they make of the known card."""

    #: The keys of its [[devices]] table that are not as they are by default.
    settings: Mapping[str, object]
    #: The known card, or what its reader leaves over of it.
    told: Credential


def fit(
    codec: Callable[..., Codec[Any]],
    model: type[BaseModel] | None,
    settings: Mapping[str, object],
    heard: bytes,
    known: Credential,
) -> Fit | None:
    """The settings of `codec`, judged by `model`, under which `heard` tells `known`: those that are given first.

    A part of it where no print is whole.
    """
    if model is None:
        return Fit(settings={}, told=known) if _tells(codec(), heard, known) else None
    fields = model.model_fields
    given = {key: value for key, value in settings.items() if key in fields}
    for told in (known, *_parts(known)) if "technology" in fields else (known,):
        for form in _forms(given, _fixed(told, known) if "technology" in fields else {}, fields):
            try:
                judged = model.model_validate(form)
            except ValidationError:
                # Not every combination makes sense.
                continue
            if _tells(codec(judged), heard, told):
                return Fit(settings={key: form[key] for key in fields if _says(form, key, fields[key])}, told=told)
    return None


def told_by(
    codec: Callable[..., Codec[Any]], model: type[BaseModel] | None, settings: Mapping[str, object], heard: bytes
) -> str:
    """What was heard, in words that tell two cards apart and give none away."""
    form = (
        [] if model is None else [model.model_validate({k: settings[k] for k in settings if k in model.model_fields})]
    )
    for frame in codec(*form).feed(heard):
        if isinstance(frame, Card):
            return f"told {frame.credential.masked}"
    if heard.isascii() and (text := heard.decode("ascii").strip()).isprintable():
        return f"said {len(heard)} characters, in the end {text[-4:]}"
    return f"said {len(heard)} bytes that are no text"


def _fixed(told: Credential, known: Credential) -> dict[str, object]:
    """A part is tried in both directions by itself."""
    number: dict[str, object] = {"technology": told.technology.value, "length": len(told.uid)}
    return number if told == known else {**number, "order": "be"}


def _parts(known: Credential) -> Iterator[Credential]:
    """A print may begin or end early, and run backwards."""
    for length, technology in _CUT.items():
        for uid in (known.uid[-length:], known.uid[:length], known.uid[-length:][::-1], known.uid[:length][::-1]):
            if length < len(known.uid):
                try:
                    yield Credential(technology=technology, uid=uid)
                except CredentialRefused:
                    continue


def _forms(
    given: Mapping[str, object], fixed: Mapping[str, object], fields: Mapping[str, FieldInfo]
) -> list[dict[str, object]]:
    """All combinations, those that change least first."""
    tried = [
        [fixed[key]] if key in fixed else [*dict.fromkeys((given.get(key, field.default), *_words(field)))]
        for key, field in fields.items()
    ]
    forms = sorted(product(*map(enumerate, tried)), key=lambda form: sum(position > 0 for position, _ in form))
    return [dict(zip(fields, (value for _, value in form), strict=True)) for form in forms]


def _words(field: FieldInfo) -> tuple[Any, ...]:
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)
    return tuple(field.examples or ()) if field.annotation is str else ()


def _tells(codec: Codec[Any], heard: bytes, told: Credential) -> bool:
    frames = [*codec.feed(heard), *codec.end()]
    return any(isinstance(frame, Card) and frame.credential == told for frame in frames)


def _says(form: Mapping[str, object], key: str, field: FieldInfo) -> bool:
    return field.is_required() or form[key] != field.default
