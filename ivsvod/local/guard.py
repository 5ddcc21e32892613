"""The local stack's refusal of whatever is not its own."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

from ivsvod.local.launch import home_folder
from ivsvod.local.postgres import ServerFolder

_ENDPOINTS = ("AWS_ENDPOINT_URL_IVS", "AWS_ENDPOINT_URL_S3")


def refuse_anything_real() -> Path:
    """Make sure that the database and AWS are those of this home, and return the home.

    Raises:
        CommandError: one of them is not.
    """
    home = home_folder()
    if settings.DATABASES["default"]["HOST"] != str(ServerFolder(home).socket_dir):
        raise CommandError("refused: the database is not the embedded one of IVSVOD_HOME")
    for name in _ENDPOINTS:
        if urlsplit(os.environ.get(name, "")).hostname != "127.0.0.1":
            raise CommandError(f"refused: {name} is not the local AWS")
    return home
