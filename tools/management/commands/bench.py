"""`manage.py bench`: this service beside the predecessor and a bare application, on catalogues of several sizes."""

import json
import logging
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.test import Client

from tools.bench import pages
from tools.bench.costs import Costs, costs_measure
from tools.bench.databases import adoption_seconds, conninfo, database_drop, database_make, name_of, using
from tools.bench.figures import Figure, Figures, measures
from tools.bench.http import http_measure
from tools.bench.plans import broken_bounds
from tools.bench.playlists import playlists_measure
from tools.bench.predecessor import predecessor_measure
from tools.bench.rows import rows_load
from tools.bench.writes import edits_measure, events_measure
from tools.local.launch import refuse_real_services

SIZES = [10_000, 100_000, 1_000_000]


class Command(BaseCommand):
    """Load each catalogue by COPY unless it exists, measure, and print the figures and their ratios."""

    help = "Local stack only: measure this service beside the predecessor and a bare one. SCALE=small: plans alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the sizes, and where the figures are written."""
        parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help=f"numbers of videos ({SIZES})")
        parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (IVSVOD_HOME/bench.json)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, measure, print."""
        home = refuse_real_services()
        # A line for each event would hide the table.
        logging.disable(logging.WARNING)
        is_small = os.environ.get("SCALE") == "small"
        self.times, self.filters = (1, 1) if is_small else (10, 2)
        sizes = sorted(set(options["sizes"] or (SIZES[:1] if is_small else SIZES)))
        if sizes[0] < 1000:
            raise CommandError("--sizes takes numbers of at least 1000")
        for rows in sizes:
            self.load(rows)
        call_command("collectstatic", interactive=False, verbosity=0)
        figures: Figures = {}
        for rows in sizes:
            with using(name_of(rows)):
                self.measure(figures, rows, is_largest=rows == sizes[-1])
        self.step("playlists and grants")
        with using(name_of(sizes[-1])):
            for name, figure in playlists_measure(times=30).items():
                figures[name, sizes[-1]] = figure
        self.step("HTTP")
        seconds, rounds = (0.3, 1) if is_small else (3, 3)
        for name, figure in http_measure(sizes[-1], seconds=seconds, rounds=rounds).items():
            figures[name, sizes[-1]] = figure
        self.step("the cost of each index and trigger")
        with using(name_of(sizes[-1])):
            costs = costs_measure(conninfo(name_of(sizes[-1])), sizes[-1], times=4 if is_small else 40)
        self.step("adoption")
        figures["adoption", sizes[-1]] = Figure([adoption_seconds(sizes[-1])])
        self.print_figures(figures, sizes)
        self.print_costs(costs)
        self.write_json(options["json"] or home / "bench.json", figures, sizes, costs)
        broken = "\n".join(broken_bounds(figures))
        self.stdout.write(broken)
        if is_small and broken:
            raise CommandError("pages read more than they may")

    def load(self, rows: int) -> None:
        """Make and fill the database of that size; an interrupted one is made again."""
        if not database_make(rows):
            self.step(f"{name_of(rows)} exists")
            return
        self.step(f"loading {rows} videos into {name_of(rows)}")
        try:
            rows_load(conninfo(name_of(rows)), rows, self.step)
        except BaseException:
            database_drop(rows)
            raise

    def measure(self, figures: Figures, rows: int, *, is_largest: bool) -> None:
        """Measure what runs in this process."""
        anonymous, staff = Client(), pages.staff_client()
        few = min(self.times, 4)
        groups = [(anonymous, pages.public_pages(rows), self.times), (staff, pages.staff_pages(rows), few)]
        if is_largest:
            groups.append((anonymous, dict(pages.filtered_pages(most=self.filters)), few))
        for client, addresses, times in groups:
            self.step(f"{rows} videos: {len(addresses)} pages")
            for name, address in addresses.items():
                figures[name, rows] = pages.page_measure(client, address, times=times)
        self.step(f"{rows} videos: writes and the statements of the predecessor")
        database = conninfo(name_of(rows))
        with psycopg.connect(database, autocommit=True) as connection:
            found = predecessor_measure(connection, pages.SEARCHED, rows)
        for name, figure in (found | events_measure(database) | edits_measure(database, rows)).items():
            figures[name, rows] = figure

    def print_figures(self, figures: Figures, sizes: list[int]) -> None:
        """Print the milliseconds, which depend on the machine, and then the measures."""
        self.stdout.write(f"{'p50 ms':56}" + "".join(f"{rows:>12,}" for rows in sizes) + "   rows read")
        for name in dict.fromkeys(name for name, _ in figures):
            if not name.startswith("pair: "):
                found = [figures.get((name, rows)) for rows in sizes]
                cells = "".join(f"{figure.p50 * 1000:12.2f}" if figure else " " * 12 for figure in found)
                self.stdout.write(f"{name:56}{cells}   {getattr(found[-1], 'rows_read', None) or ''}")
        self.stdout.write(f"\n{'measure':72}{'target':>10}{'ratio':>10}" if len(sizes) > 1 else "")
        for measure in measures(figures, sizes):
            target = f">= {measure.least:g}" if measure.least else f"<= {measure.most:g}"
            verdict = "" if measure.is_met else "  missed"
            self.stdout.write(f"{measure.work:72}{target:>10}{measure.ratio:10.2f}{verdict}  {measure.worst}")

    def print_costs(self, costs: Costs) -> None:
        """Print what each index and trigger adds to a write: microseconds, and bytes of write-ahead log."""
        works = next(iter(costs.values()))
        self.stdout.write(f"\n{'adds, us and WAL bytes':76}" + "".join(f"{work:>18}" for work in works))
        for name, cost in costs.items():
            cells = "".join(f"{added.us:9.0f}{added.wal_bytes:9.0f}" for added in cost.values())
            self.stdout.write(f"{name:76}{cells}")

    def write_json(self, path: Path, figures: Figures, sizes: list[int], costs: Costs) -> None:
        """Write all figures, measures and costs."""
        by_name: dict[str, dict[int, Any]] = {}
        for (name, rows), figure in figures.items():
            by_name.setdefault(name, {})[rows] = figure.document()
        ratios = [measure.document() for measure in measures(figures, sizes)]
        added = {name: {work: each._asdict() for work, each in cost.items()} for name, cost in costs.items()}
        document = {"sizes": sizes, "measures": ratios, "figures": by_name, "costs": added}
        path.write_text(json.dumps(document, indent=1) + "\n")
        self.step(f"written to {path}")

    def step(self, text: str) -> None:
        """Print a line of progress, apart from the table."""
        self.stderr.write(text)
