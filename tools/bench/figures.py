"""The figures of the benchmark: what was measured, and the ratios that have a target."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

_SEARCHES = {"rare": 5000, "1 %": 1000, "10 %": 1200}


@dataclass
class Figure:
    """The seconds of each time that something was done; of a page also what one request reads."""

    seconds: list[float] = field(default_factory=list)
    rows_read: int | None = None
    # The number of times that a whole large table was read.
    scans: int | None = None
    # The number of requests a second, of those that overlap.
    per_second: float | None = None

    @property
    def p50(self) -> float:
        return median(self.seconds)

    def document(self) -> dict[str, Any]:
        """Return the figure as the JSON file shows it."""
        p95 = quantiles(self.seconds, n=20, method="inclusive")[-1] if len(self.seconds) > 1 else self.p50
        times = {"p50_ms": round(self.p50 * 1000, 3), "p95_ms": round(p95 * 1000, 3), "times": len(self.seconds)}
        facts = {"rows_read": self.rows_read, "scans": self.scans, "per_second": self.per_second}
        return times | {name: value for name, value in facts.items() if value is not None}


# By name and number of videos.
Figures = dict[tuple[str, int], Figure]


@dataclass(frozen=True)
class Measure:
    """A ratio, and the least or the most that it should be; `worst` names the slowest one of many pages."""

    work: str
    ratio: float
    least: float = 0
    most: float = float("inf")
    worst: str = ""

    @property
    def is_met(self) -> bool:
        return self.least <= self.ratio <= self.most

    def document(self) -> dict[str, Any]:
        """Return the measure as the JSON file shows it."""
        target = {"least": self.least} if self.least else {"most": self.most}
        return {"work": self.work, **target, "ratio": self.ratio, "is_met": self.is_met, "worst": self.worst}


def measures(figures: Figures, sizes: list[int]) -> Iterator[Measure]:
    """Yield the measures of the largest catalogue, and of the largest against the smallest."""
    few, many = sizes[0], sizes[-1]
    if few == many:
        return
    p50 = {name: figure.p50 for (name, rows), figure in figures.items() if rows == many}
    rate = {name: figure.per_second or 0 for (name, rows), figure in figures.items() if rows == many}
    growth = {name: p50[name] / figures[name, few].p50 for name in p50 if (name, few) in figures}
    if "HTTP: bare" in rate:
        yield Measure("HTTP: list, other filter values, of bare", rate["HTTP: list"] / rate["HTTP: bare"], 0.55)
        yield Measure("HTTP: the same with a token", rate["HTTP: list with token"] / rate["HTTP: bare"], 0.5)
        yield Measure("HTTP: the same list again, of bare", rate["HTTP: list again"] / rate["HTTP: bare"], 1.5)
        yield Measure("HTTP: 304, of a stored answer", rate["HTTP: 304"] / rate["HTTP: stored"], 0.8)
        yield Measure("HTTP: live state, of a stored answer", rate["HTTP: live"] / rate["HTTP: stored"], 0.5)
    for kind, least in _SEARCHES.items():
        old = p50[f"predecessor: search, {kind}"]
        yield Measure(f"search, {kind}, ranked: predecessor / this", old / p50[f"search, {kind}, ranked"], least)
        yield Measure(f"search, {kind}, newest: predecessor / this", old / p50[f"search, {kind}, newest"], 5000)
    for name, most in (("half-way page", 10), ("last page", 10), ("cursor", 1.2)):
        yield Measure(f"{name} / page 1", p50[name] / p50["page 1"], most=most)
    for kind in ("filter", "pair", "curator"):
        name = max((name for name in p50 if name.startswith(f"{kind}: ")), key=p50.__getitem__, default="page 1")
        yield Measure(f"worst {kind} and order / page 1", p50[name] / p50["page 1"], most=5, worst=name)
    for name in ("100 words", "any of 100 words"):
        yield Measure(f"{name} / one word", p50[name] / p50["a frequent word"], most=10)
    for name in ("tags", "admin: tags"):
        yield Measure(f"{name}: {many} / {few} videos", growth[name], most=3)
    name = max((name for name in growth if name.startswith("admin: ")), key=growth.__getitem__)
    yield Measure(f"worst page of the admin: {many} / {few} videos", growth[name], most=3, worst=name)
    for name in ("page 1", "a video", "search, rare, ranked", "admin: start page"):
        yield Measure(f"{name}: {many} / {few} videos", growth[name], most=1.5)
    memory = p50["the same bytes from memory, compressed"]
    yield Measure(
        "playlist of 4 hours / its bytes from memory", p50["playlist of 4 hours, by a grant"] / memory, most=2
    )
    if many == 1_000_000:
        yield Measure("adoption of 1000000 videos: seconds of migrate", p50["adoption"], most=120)
    yield Measure("events: smallest script / this", p50["events: smallest script"] / p50["events"], 0.6)
    yield Measure("content edit: predecessor / this", p50["predecessor: content edit"] / p50["content edit"], 0.6)
