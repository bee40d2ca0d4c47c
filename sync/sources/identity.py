"""Names and ids of other programs as they may be used here, the same at every import."""

import hashlib
import re

from gateway.domain.model import PersonId

#: Of a group; ; , and | part the groups of a person in tables.
NAME_LENGTH = 32
_GROUP = re.compile(rf"[^;,|]{{1,{NAME_LENGTH}}}")
_PERSON = re.compile(r"[A-Za-z0-9._-]{1,64}")


def person_id(foreign: str) -> PersonId:
    """The id itself where it may be one; else 128 bits of its digest, so that an address in its place stays unseen."""
    if _PERSON.fullmatch(foreign):
        return PersonId(foreign)
    return PersonId("x-" + hashlib.sha256(foreign.encode()).hexdigest()[:32])


def fits(name: str) -> bool:
    """Whether a group may be called so in every table."""
    return name == name.strip() and _GROUP.fullmatch(name) is not None
