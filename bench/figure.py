"""One measured figure beside the limit or the peer that was measured in the same run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ratio` is the median of the ratios of single rounds, so it need not be the quotient of `value` and `limit`."""

    name: str
    value: float
    unit: str
    #: What `limit` is.
    against: str
    #: None where it was not run.
    limit: float | None
    ratio: float | None
    #: What the ratio should be at most, or at least.
    at_most: float | None = None
    at_least: float | None = None

    @property
    def aim(self) -> str:
        """In words; empty where there is none."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return f"≥ {self.at_least:g}" if self.at_least is not None else ""

    @property
    def met(self) -> bool | None:
        """None where there is no aim."""
        if self.ratio is None:
            return None
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return self.ratio >= self.at_least if self.at_least is not None else None

    def plain(self) -> dict[str, Any]:
        """As it stands in results.json."""
        fields = {key: value for key, value in asdict(self).items() if key not in {"name", "at_most", "at_least"}}
        return (
            fields
            | {"value": round(self.value, 3), "limit": _rounded(self.limit), "ratio": _rounded(self.ratio)}
            | {"aim": self.aim, "met": self.met}
        )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def over_rounds(
    name: str,
    unit: str,
    pairs: Sequence[tuple[float, float]],
    against: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """A figure from (value, limit) of each round."""
    return Figure(
        name=name,
        value=median(value for value, _ in pairs),
        unit=unit,
        against=against,
        limit=median(limit for _, limit in pairs),
        ratio=median(value / limit for value, limit in pairs),
        at_most=at_most,
        at_least=at_least,
    )


def percentiles(samples: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    cuts = quantiles(samples, n=100)
    return cuts[49], cuts[98]
