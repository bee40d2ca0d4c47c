"""Every lie in the words of a mail is found: another kind, child, language, time or number of minutes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulators import oracle
from simulators.letters import letters
from simulators.mail import Mail
from simulators.oracle import Attempt
from tests.simulators.test_oracle import RULES, pupil, shown

LATE = {
    "en": ("Late arrival", "Анна came in at 10:36, 7 minutes late."),
    "ru": ("Опоздание", "Анна: вход в 10:36, опоздание 7 минут."),
}
CAME_IN = {"en": ("Arrival", "Анна came in at 10:36."), "ru": ("Вход в школу", "Анна: вход в школу в 10:36.")}
NOT_SEEN = {
    "en": ("Card not seen", "Анна: the card was not seen by 10:45."),
    "ru": ("Карта не отмечена", "Анна: к 10:45 карта на входе не отмечена."),
}
CORRECTION = {
    "en": ("Correction", "Correction: Анна came in at 10:36."),
    "ru": ("Исправление", "Исправление. Анна: вход в 10:36."),
}
LETTERS = ("late",)


def read(
    mail: Mapping[str, tuple[str, str]],
    *,
    language: str = "en",
    told: Sequence[str] = LETTERS,
    attempts: Sequence[Attempt] = (shown(6.5),),
) -> list[str]:
    """What is found wrong with this mail to the parent of a pupil who was seven minutes late."""
    child = dataclasses.replace(pupil(), language=language)
    subject, body = mail[language]
    sent = Mail(recipient=child.mail, subject=subject, body=body, received=0.0)
    stories = oracle.stories_of([child], attempts, RULES)
    return list(letters([child], stories, {"p1": told}, [sent], ZoneInfo("Asia/Yekaterinburg")))


def test_a_true_mail() -> None:
    assert read(LATE) == read(LATE, language="ru") == []
    assert read(NOT_SEEN, told=["not_seen"], attempts=[]) == []
    assert read(CAME_IN, told=["update"]) == []


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(
    "lie",
    [
        CAME_IN,
        NOT_SEEN,
        CORRECTION,
        {"Анна": "Мария"},
        {"Анна": "Анна Седых"},
        {"10:36": "05:36"},
        {"10:36": "11:36"},
        {"10:36": "10:38"},
        {" 7 ": " 67 "},
        {" 7 ": " 8 "},
        {"10:36": "10:36, 10:37"},
        {"late": "опоздание!", "вход": "in"},
        None,
    ],
)
def test_a_lying_mail(language: str, lie: Any) -> None:
    if lie is None:  # the other language
        wrong = {language: LATE[{"ru": "en", "en": "ru"}[language]]}
    elif "en" in lie:
        wrong = lie
    else:
        subject, body = LATE[language]
        for true, false in lie.items():
            body = body.replace(true, false)
        wrong = {language: (subject, body)}
    assert read(wrong, language=language) != []


def test_a_subject_of_another_mail() -> None:
    assert len(read({"en": (CAME_IN["en"][0], LATE["en"][1])})) == 1
