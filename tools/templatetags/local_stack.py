"""Tags of the panel "Try this" on the start page of the demo's admin."""

import os
import shlex
import sys
from pathlib import Path

from django import template

from channels_app.admin import list_address
from ondemand.models import Video
from tools.local.launch import CHECKOUT, home_folder

register = template.Library()


@register.simple_tag
def review_address() -> str:
    """Return the address of the videos to review."""
    return list_address(Video, review="yes")


@register.simple_tag
def command_line(arguments: str) -> str:
    """Return the line to type into a shell in the checkout, that runs a command beside this demo."""
    python = Path(sys.executable)
    if python.is_relative_to(CHECKOUT):
        python = python.relative_to(CHECKOUT)
    # Another database, which `.env` or the shell of the reader may name, is not meant.
    variables = "IVSVOD_LOCAL=1"
    if os.environ.get("IVSVOD_HOME"):
        variables += f" IVSVOD_HOME={shlex.quote(str(home_folder()))}"
    return f"{variables} {shlex.quote(str(python))} manage.py {arguments}"
