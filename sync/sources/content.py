"""A school as the content of a directory: what a door needs of it, without a name."""

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.credential import SiteKey
from gateway.domain.directory import Content, CredentialRow, PersonRow
from gateway.domain.model import Slot
from sync.sources.report import Known, Outline, lane_rows
from sync.sources.school import School


def content_of(school: School, slots: Sequence[Slot], *, site: str, keys: Sequence[SiteKey]) -> Content:
    """Each card has a token under each of the keys."""
    return Content(
        site=site,
        zone=school.zone,
        gateways=school.gateways,
        persons=tuple(PersonRow(id=person.id, groups=person.groups) for person in school.people),
        credentials=tuple(
            CredentialRow(
                token=key.token(card.credential),
                person=card.person,
                valid_from=card.valid_from,
                valid_to=card.valid_to,
                state=card.state,
            )
            for card in school.cards
            for key in keys
        ),
        slots=tuple(slots),
    )


def known_of(content: Content, since: datetime) -> Outline:
    """What a door knows of a school, to be compared with what another import brings; of lessons those from then on."""
    newest = max((int(row.token.partition(":")[0]) for row in content.credentials), default=0)
    return Outline(
        persons={row.id: Known(row.id, row.groups) for row in content.persons},
        credentials={
            (row.token, row.valid_from): Known(row.person, (row.person, row.valid_to, row.state))
            for row in content.credentials
            if row.token.startswith(f"{newest}:")
        },
        lanes=lane_rows(content.gateways),
        slots={slot.id: Known(slot.id, slot) for slot in content.slots if slot.start >= since},
    )
