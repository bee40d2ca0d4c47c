"""The words that parents read."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.notify.notice import Template
from journal.notify.templates import SMS_CHARACTERS, render
from journal.words import LANGUAGES, minutes_in_words, pupils_in_words

FORMS = {
    "минута": [1, 21, 31, 41, 51, 101, 121],
    "минуты": [2, 3, 4, 22, 23, 24, 34, 42, 102],
    "минут": [0, 5, 6, 9, 10, 11, 12, 13, 14, 15, 19, 20, 25, 30, 45, 90, 100, 111, 112, 114],
}


@pytest.mark.parametrize(("form", "count"), [(form, n) for form, numbers in FORMS.items() for n in numbers])
def test_russian_plural(form: str, count: int) -> None:
    assert minutes_in_words(count, "ru") == f"{count} {form}"


@pytest.mark.parametrize(("count", "words"), [(0, "0 minutes"), (1, "1 minute"), (2, "2 minutes"), (21, "21 minutes")])
def test_english_plural(count: int, words: str) -> None:
    assert minutes_in_words(count, "en") == words


@pytest.mark.parametrize(
    ("template", "language", "at", "text"),
    [
        (Template.LATE, "ru", "08:52", "Иван: вход в 08:52, опоздание 22 минуты."),
        (Template.NOT_SEEN, "ru", "08:45", "Иван: к 08:45 карта на входе не отмечена."),
        (Template.UPDATE, "ru", "08:52", "Иван: вход в школу в 08:52."),
        (Template.SEEN, "ru", "08:52", "Иван: отметка внутри школы в 08:52."),
        (Template.ABSENT, "ru", "08:30", "Иван: на уроке в 08:30 нет, подтверждено школой."),
        (Template.LEFT_EARLY, "ru", "09:45", "Иван: выход из школы в 09:45, до конца урока."),
        (Template.ARRIVED, "ru", "08:20", "Иван: вход в школу в 08:20."),
        (Template.CORRECTION, "ru", "08:25", "Исправление. Иван: вход в 08:25, прошлое сообщение неверно."),
        (Template.CORRECTION, "ru", None, "Иван: прошлое сообщение неверно, извините."),
        (Template.LATE, "en", "08:52", "Иван came in at 08:52, 22 minutes late."),
        (Template.NOT_SEEN, "en", "08:45", "Иван: the card was not seen at the entrance by 08:45."),
        (Template.UPDATE, "en", "08:52", "Иван came in at 08:52."),
        (Template.SEEN, "en", "08:52", "Иван was seen at school at 08:52."),
        (Template.ABSENT, "en", "08:30", "Иван was not in the lesson at 08:30, the school says."),
        (Template.LEFT_EARLY, "en", "09:45", "Иван left at 09:45, before the end of the lesson."),
        (Template.ARRIVED, "en", "08:20", "Иван came in at 08:20."),
        (Template.CORRECTION, "en", "08:25", "Correction: Иван came in at 08:25. Our last message was wrong."),
        (Template.CORRECTION, "en", None, "Иван: our last message was wrong, sorry."),
        (Template.UPDATE, "kk", "08:52", "Иван: вход в школу в 08:52."),
    ],
)
def test_texts(template: Template, language: str, at: str | None, text: str) -> None:
    assert render(template, language, name="Иван", at=at, minutes=22).text == text


@given(
    name=st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1),
    template=st.sampled_from(Template),
    language=st.sampled_from(LANGUAGES),
    known=st.booleans(),
    minutes=st.integers(1, 599),
)
def test_one_sms_on_one_line_whatever_the_name(
    name: str, template: Template, language: str, known: bool, minutes: int
) -> None:
    message = render(template, language, name=name, at="08:45" if known else None, minutes=minutes)
    assert len(message.text.encode("utf-16-le")) // 2 <= SMS_CHARACTERS
    assert len(message.text.splitlines()) == 1
    assert len(message.subject.splitlines()) == 1


def test_no_subject_names_anybody_and_nobody_is_called_absent() -> None:
    for template, language, at in product(Template, LANGUAGES, ("08:45", None)):
        message = render(template, language, name="Иван", at=at, minutes=7)
        assert "Иван" not in message.subject
        assert not any(word in message.text.lower() for word in ("absent", "отсутств", "прогул", "не приш"))


@pytest.mark.parametrize(
    ("count", "ru", "en"),
    [
        (1, "1 ученик", "1 pupil"),
        (3, "3 ученика", "3 pupils"),
        (11, "11 учеников", "11 pupils"),
        (21, "21 ученик", "21 pupils"),
    ],
)
def test_pupils_are_counted(count: int, ru: str, en: str) -> None:
    assert (pupils_in_words(count, "ru"), pupils_in_words(count, "en")) == (ru, en)
