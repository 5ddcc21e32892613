"""The settings of a process with variables of the test alone."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

CHECKOUT = Path(__file__).resolve().parents[2]
SECRET = "S3cr3t-of-a-test"
FERNET_KEY = "dGhlIGtleSBvZiBhIHRlc3QsIDMyIGJ5dGVzIGxvbmc="
NEEDED = {
    "DJANGO_SETTINGS_MODULE": "ivsvod.settings",
    "SECRET_KEY": "a long random text of a test, not of a deployment",
    "FIELD_ENCRYPTION_KEYS": FERNET_KEY,
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": f"postgres://ivsvod:{SECRET}@db.example.com/ivsvod",
}


def settings_of(environment: dict[str, str]) -> dict[str, Any]:
    """Return all settings of a process with these variables alone; a lone surrogate is a byte that is no UTF-8."""
    with patch.dict(os.environ, environment, clear=True):
        return runpy.run_path(str(CHECKOUT / "ivsvod" / "settings.py"))


def shown(environment: dict[str, str], *names: str) -> list[Any]:
    """Return the settings of these names, as JSON holds them."""
    found = settings_of(environment)
    return json.loads(json.dumps([found[name] for name in names], default=str))


def python(code: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in another process with these variables alone, and return its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
