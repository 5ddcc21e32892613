"""What commands of the local stack show, and where their log goes."""

import io
import logging
from pathlib import Path

import pytest
from django.core.management.base import OutputWrapper

from tools.local.terminal import ProgressLine, logged_to
from tools.management.commands.simulate_broadcast import BroadcastLines


class Terminal(io.StringIO):
    """A stream that people watch."""

    def isatty(self) -> bool:
        return True


def test_the_log_goes_to_the_file_and_errors_to_the_terminal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, terminal, logger = tmp_path / "demo.log", io.StringIO(), logging.getLogger("tools.local")
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(terminal)])
    log.write_text("before\n")
    with logged_to(log):
        logger.warning("one")
        logger.error("two")
    logger.warning("three")
    assert log.read_text() == "before\none\ntwo\n"
    assert terminal.getvalue() == "two\nthree\n"


def test_a_line_of_progress_grows_on_a_terminal_and_is_two_lines_elsewhere() -> None:
    shown = {}
    for stream in (Terminal(), io.StringIO()):
        line = ProgressLine(OutputWrapper(stream), "Playing")
        for done in range(5):
            line.advance(done, 4)
        line.end("done")
        shown[stream.isatty()] = stream.getvalue()
    assert shown[False] == "Playing\nPlaying: done\n"
    bars = [f"[{'#' * n}{'.' * (24 - n)}]" for n in (0, 6, 12, 18, 24)]
    assert shown[True] == "".join(f"\rPlaying {bar}" for bar in bars) + " done\n"


def test_the_lines_of_broadcasts_whose_events_are_mixed_stand_in_their_order() -> None:
    stream = io.StringIO()
    lines = BroadcastLines(OutputWrapper(stream), "Main stage", 3)
    for number, done in ((0, 1), (1, 1), (1, 2), (0, 2), (2, 1), (2, 2)):
        lines.advance(number, done, 2)
    texts = [f"Main stage: broadcast {number} of 3" for number in (1, 2, 3)]
    assert stream.getvalue().splitlines() == [line for text in texts for line in (text, f"{text}: done")]
