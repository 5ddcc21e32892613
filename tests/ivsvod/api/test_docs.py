"""The examples of docs/api.md run, in their order, against the service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ivsvod.local.aws import LocalAws
from tests.support.helpers import OWNER, make_content, make_token, make_video

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = {
    "sh": lambda code: ["bash", "-euo", "pipefail", "-c", code],
    "python": lambda code: [sys.executable, "-c", code],
    "js": lambda code: ["node", "--input-type=module", "-e", code],
}


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("curl")), reason="needs Node and curl")
@pytest.mark.django_db(transaction=True)
def test_every_example_of_the_page_runs(live_server: Any, aws: LocalAws) -> None:
    video = make_video()
    make_content(video, title="Opening show", tags=["demo"])
    _, token = make_token("read", "curate", "channels", "playback")
    environment = {
        "PATH": os.environ["PATH"],
        "URL": live_server.url,
        "TOKEN": token,
        "OWNER": str(OWNER),
        "VIDEO": str(video.uuid),
    }
    blocks = BLOCK.findall(PAGE.read_text())
    assert {language for language, _ in blocks} == set(RUN)
    for language, code in blocks:
        done = subprocess.run(
            RUN[language](code), env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        if "If-None-Match" not in code and "assert" not in code and "/channels/live" not in code:
            assert done.stdout.strip(), code
