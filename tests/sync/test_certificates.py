"""Certificates that end soon are told, in health and in `status`, before they end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from sync.certificates import SOON, validity, warning
from tests.gateway.daemon import write_config
from tests.sync.authority import Authority
from tests.sync.ledgers import ledger


@pytest.mark.parametrize(("days", "soon"), [(SOON.days + 2, False), (SOON.days - 2, True), (0, True)])
def test_the_end_is_told_before_it_comes(tmp_path: Path, days: int, soon: bool) -> None:
    files = Authority(tmp_path).sign("north", days=(-9, days))
    told = validity({"certificate": files.certificate}, datetime.now(UTC))
    assert told["certificate"]["soon"] is soon
    assert (warning(told) is not None) is soon


def test_of_what_cannot_be_read_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("no certificate")
    told = validity({"a": tmp_path / "odd", "b": tmp_path / "absent", "c": None}, datetime.now(UTC))
    assert told == {"a": {"until": None, "soon": False}, "b": {"until": None, "soon": False}}
    assert warning(told) is None


async def test_status_warns(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.sign("north", days=(-1, 5))
    config = write_config(tmp_path, ["unix:/nowhere"], uplink="mqtts://127.0.0.1:9")
    tls = f'ca = "{files.ca}"\ncertificate = "{files.certificate}"\nkey = "{files.key}"\n'
    config.write_text(config.read_text().replace("[[devices]]", f"{tls}[[devices]]", 1))
    async with ledger(tmp_path / "state" / "ledger.db"):
        pass
    said = CliRunner().invoke(main, ["status", str(config)])
    assert "certificates end soon: certificate (2" in said.output
    plain = json.loads(CliRunner().invoke(main, ["status", str(config), "--json"]).stdout)
    end = datetime.fromisoformat(plain["certificates"]["certificate"]["until"])
    assert abs(end - datetime.now(UTC) - timedelta(days=5)) < timedelta(minutes=10)
    assert plain["certificates"]["authority"]["soon"]
