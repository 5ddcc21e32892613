"""Which browser the tests and `make pictures` start, and how."""

import os
from pathlib import Path
from shutil import which

# Without windows it takes a third less of the processor.
CHROMIUM = Path(os.environ.get("CHROMIUM") or which("chromium-headless-shell") or "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    # One process fewer: pages take a tenth less of the processor.
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
