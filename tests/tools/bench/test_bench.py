"""The verdicts of `make bench`; `.ci/run` runs all of it on small catalogues."""

import pytest
from django.core.management import CommandError, call_command

from tools.bench.figures import Figure, Measure
from tools.bench.plans import broken_bounds


def test_page_that_reads_more_than_its_bound_of_the_largest_catalogue_is_named() -> None:
    figures = {
        ("page 1", 1_000): Figure([0.01], rows_read=10_000, scans=1),
        ("page 1", 10_000): Figure([0.01], rows_read=10_000, scans=0),
        ("a video", 10_000): Figure([0.01], rows_read=10, scans=2),
        ("filter: owner, newest", 10_000): Figure([0.01], rows_read=10_000, scans=0),
    }
    assert broken_bounds(figures) == [
        "page 1 reads 10000 rows, at most 3000 are allowed",
        "a video reads a whole table",
    ]


def test_pages_of_the_admin_have_no_bound() -> None:
    assert broken_bounds({("admin: list", 10_000): Figure([0.01], rows_read=10**6, scans=1)}) == []


@pytest.mark.parametrize(
    ("measure", "is_met"),
    [
        (Measure("faster", 5, least=4), True),
        (Measure("faster", 3, least=4), False),
        (Measure("slower", 4, most=5), True),
        (Measure("slower", 6, most=5), False),
    ],
)
def test_ratio_meets_a_target_that_is_a_least_or_a_most(measure: Measure, is_met: bool) -> None:
    assert measure.document()["is_met"] is is_met


def test_figure_has_the_median_and_the_time_of_the_slowest_of_twenty() -> None:
    figure = Figure([number / 1000 for number in range(1, 101)], rows_read=7)
    assert figure.document() == {"p50_ms": 50.5, "p95_ms": 95.05, "times": 100, "rows_read": 7}


def test_bench_refuses_a_database_that_is_not_its_own() -> None:
    with pytest.raises(CommandError, match="refused"):
        call_command("bench")
