"""`manage.py bench`: the ratios between a large catalogue and a small one."""

from argparse import ArgumentParser
from statistics import median
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ivsvod.local.bench.databases import database_drop, database_make, name_of, using
from ivsvod.local.bench.pages import Timings, measure
from ivsvod.local.bench.rows import rows_load
from ivsvod.local.launch import refuse_real_services

SMALL = 10_000
LARGE = 1_000_000


class Command(BaseCommand):
    """Load both catalogues by COPY unless they exist, request each page in turns, and print the ratios."""

    help = "Local stack only: print the time of each page on a large catalogue and on a small one, and the ratio."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the two sizes, and the number of measurements."""
        parser.add_argument("--small", type=int, default=SMALL, metavar="N", help=f"videos of the small one ({SMALL})")
        parser.add_argument("--large", type=int, default=LARGE, metavar="N", help=f"of the large one ({LARGE})")
        parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each is measured (5)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, measure, print."""
        refuse_real_services()
        sizes = [options["small"], options["large"]]
        if not 1000 <= sizes[0] <= sizes[1] or options["rounds"] < 1:
            raise CommandError("--small takes at least 1000, --large at least as many, --rounds at least 1")
        for rows in dict.fromkeys(sizes):
            self.load(rows)
        call_command("collectstatic", interactive=False, verbosity=0)
        self.print_table(measure(sizes, rounds=options["rounds"], progress=self.step), *sizes)

    def load(self, rows: int) -> None:
        """Make and fill the database of that size; an interrupted one is made again."""
        if not database_make(rows):
            self.step(f"{name_of(rows)} exists")
            return
        self.step(f"loading {rows} videos into {name_of(rows)}")
        try:
            with using(name_of(rows)):
                rows_load(rows)
        except BaseException:
            database_drop(rows)
            raise

    def print_table(self, timings: Timings, small: int, large: int) -> None:
        """Print milliseconds, which depend on the machine, and their ratio. A page of more rows takes longer."""
        self.stdout.write(f"{'page':40} {small:>10} {large:>10}   ratio  rows shown")
        for page in dict.fromkeys(page for page, _ in timings.seconds):
            few, many = median(timings.seconds[page, small]), median(timings.seconds[page, large])
            shown = f"{timings.shown[page, small]:3} and {timings.shown[page, large]:3}"
            self.stdout.write(f"{page:40} {few * 1000:7.0f} ms {many * 1000:7.0f} ms {many / few:7.2f}  {shown}")

    def step(self, text: str) -> None:
        """Print a line of progress, apart from the table."""
        self.stderr.write(text)
