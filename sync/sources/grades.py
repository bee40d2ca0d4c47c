"""The grade that the name of a class tells: 5А, 11-Б, "5 A", IX В."""

import re

HIGHEST = 13
_ROMAN = {"I": 1, "V": 5, "X": 10, "Х": 10, "І": 1}
_ROMAN_NAME = re.compile(r"([IVXХІ]{1,4})(?![A-Za-zА-Яа-яЁё])|([IVX]{1,4})(?=[А-Яа-яЁё])")


def grade_of(name: str) -> int | None:
    """Years at school; None where the name tells none, or tells two."""
    numbers = set(re.findall(r"[0-9]+", name))
    if len(numbers) > 1 and (first := re.match(r"[0-9]+", name)):
        # 10-2 is the second class of grade 10.
        numbers = {first[0]}
    if len(numbers) == 1:
        (number,) = numbers
        return int(number) if len(number) <= 2 and int(number) <= HIGHEST else None
    roman = None if numbers else _ROMAN_NAME.match(name)
    return None if roman is None else _from_roman(roman[1] or roman[2])


def _from_roman(digits: str) -> int | None:
    values = [_ROMAN[digit] for digit in digits]
    total = sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))
    return total if total <= HIGHEST else None
