"""Lines of progress on the terminal for commands of the local stack, whose log goes to a file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.core.management.base import OutputWrapper

BAR = 24


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append the log to a file for the length of the block; only errors go to the terminal too."""
    root = logging.getLogger()
    handlers = [handler for handler in root.handlers if type(handler) is logging.StreamHandler]
    file = path.open("a")
    streams = {handler: handler.setStream(file) for handler in handlers}
    # A full disk must not fill the terminal with a traceback for each line.
    logging.raiseExceptions = False
    terminals = []
    for handler, stream in streams.items():
        terminal = logging.StreamHandler(stream)
        terminal.setLevel(logging.ERROR)
        terminal.setFormatter(handler.formatter)
        terminal.filters = handler.filters
        root.addHandler(terminal)
        terminals.append(terminal)
    try:
        yield
    finally:
        for terminal in terminals:
            root.removeHandler(terminal)
        for handler, stream in streams.items():
            handler.setStream(stream)
        with suppress(OSError):
            file.close()


class ProgressLine:
    """One step: on a terminal a line with a bar that grows, else a line at its start and one at its end."""

    def __init__(self, stream: OutputWrapper, text: str) -> None:
        self.stream = stream
        self.text = text
        self.is_terminal = stream.isatty()
        self.filled = -1
        if self.is_terminal:
            self.advance(0, 1)
        else:
            self._write(f"{text}\n")

    def advance(self, done: int, total: int) -> None:
        """Show how much is done; nothing elsewhere than on a terminal."""
        filled = BAR * done // total
        if self.is_terminal and filled != self.filled:
            self.filled = filled
            self._write(f"\r{self.text} [{'#' * filled}{'.' * (BAR - filled)}]")

    def end(self, text: str) -> None:
        """Show that it is done, and the outcome."""
        if self.is_terminal:
            self.advance(1, 1)
            self._write(f" {text}\n")
        else:
            self._write(f"{self.text}: {text}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text, style_func=str, ending="")
        self.stream.flush()
