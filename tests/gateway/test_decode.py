"""What `decode` says to who types something else than a kind and its settings: the way out, once."""

import pytest
from click.testing import CliRunner

from gateway.cli import main


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("rdm6301", 'did you mean "rdm6300"?'),
        ("abacuss", "see drivers/README.md"),
        ("gpio", "this kind's library decodes its bytes by itself"),
        ("line", "give it as a setting: attendance-gateway decode line --set KEY=VALUE"),
    ],
)
def test_the_way_out_is_said_once(kind: str, hint: str) -> None:
    said = CliRunner().invoke(main, ["decode", kind], input="")
    assert said.exit_code == 1
    assert said.stderr.splitlines()[-1] == f" hint: {hint}"
    assert said.stderr.count(hint) == 1
