"""What is written about drivers is true: kinds, keys, defaults, words and samples."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from drivers.registry import KINDS, build, load
from drivers.signals import SHORT, SIGNALS, Signal
from gateway.domain.answer import Answer
from gateway.domain.credential import Technology
from gateway.domain.model import Reason

DRIVERS = Path(__file__).parents[2] / "drivers"


def readme(kind: str) -> str:
    return (DRIVERS / kind / "README.md").read_text("utf-8")


def test_every_kind_has_its_row_and_its_folder() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\((\w+)/README\.md\)", (DRIVERS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == [(kind, kind) for kind in sorted(KINDS)]
    assert {path.parent.name for path in DRIVERS.glob("*/driver.py")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_is_accepted_and_shown(kind: str) -> None:
    sample = (DRIVERS / kind / "sample.toml").read_text("utf-8")
    assert f"```toml\n{sample}```" in readme(kind)
    (device,) = tomllib.loads(sample)["devices"]
    assert device.pop("id")
    build(device.pop("kind"), device)
    # What is commented out is right as well.
    (whole,) = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", sample, flags=re.MULTILINE))["devices"]
    build(kind, {key: value for key, value in whole.items() if key not in ("id", "kind")})


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_explained_with_its_default(kind: str) -> None:
    model: type[BaseModel] = vars(load(kind))["Settings"]
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", readme(kind), re.MULTILINE))
    assert {key: rows[key].strip() for key in model.model_fields} == {
        key: "" if field.is_required() else json.dumps(field.default) for key, field in model.model_fields.items()
    }
    assert all(field.description and (field.examples or key == "url") for key, field in model.model_fields.items())


def test_the_words_of_the_virtual_device() -> None:
    text = readme("virtual")
    for word in (*Technology, *Reason, *Answer):
        assert f"`{word}`" in text


def test_what_a_lamp_says_stands_in_the_readme() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+ \| .*) \|$", (DRIVERS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == {answer: _row(shown) for answer, shown in SIGNALS.items()}


def _row(shown: Signal) -> str:
    light = f"{shown.on} and {shown.off}" if shown.off else "steady"
    sound = f"{shown.beeps} {'short' if shown.beep == SHORT else 'long'}"
    return f"{shown.colour} | {light} | {sound} | {shown.lasts:.0f}"
