#!/usr/bin/env python
"""Runs management commands; where no database is named, on the local stack."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

# These never touch anything real: they look at neither `.env` nor the caller's database and AWS variables.
LOCAL_COMMANDS = {"bench", "demo", "simulate_broadcast", "stop"}
# Their statements have the limit of requests and events.
SERVING_COMMANDS = {"runserver", "work_queue"}
NAMES_A_DATABASE = ("DATABASE_URL", "PG_HOST", "AWS_LAMBDA_FUNCTION_NAME")


def main() -> None:
    """Read `.env`, start the local stack where no database is named, and run the command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in LOCAL_COMMANDS:
        read_env_file()
    if command in LOCAL_COMMANDS or not any(os.environ.get(name) for name in NAMES_A_DATABASE):
        from ivsvod.local.launch import run_on_local_stack

        run_on_local_stack(command, run)
    else:
        run()


def read_env_file() -> None:
    """Set what `.env` beside this file names and the environment does not."""
    from environs import Env

    path = Path(__file__).resolve().parent / ".env"
    if path.is_file():
        Env().read_env(str(path), recurse=False, override=False)


def run() -> None:
    """Hand the command line to Django."""
    from django.core.management import execute_from_command_line

    from channels_app.audit import command_acting
    from ivsvod.postgresql.base import statements_unlimited

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    with nullcontext() if command in SERVING_COMMANDS else statements_unlimited(), command_acting(command):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
