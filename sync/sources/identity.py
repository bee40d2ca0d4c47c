"""From the id that another program gave a person to one that is opaque here and the same at every import."""

import hashlib
import re

from gateway.domain.model import PersonId

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def person_id(foreign: str) -> PersonId:
    """The id itself where it may be one; else 128 bits of its digest, so that an address in its place stays unseen."""
    if _SAFE.fullmatch(foreign):
        return PersonId(foreign)
    return PersonId("x-" + hashlib.sha256(foreign.encode()).hexdigest()[:32])
