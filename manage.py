#!/usr/bin/env python
"""Runs management commands; where no database is named, on the local stack."""

import os
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
# Their statements have the limit of requests and events.
SERVING_COMMANDS = {"runserver", "work_queue"}


def main() -> None:
    """Read `.env`, start the local stack where it is asked for or no database is named, and run the command."""
    from ivsvod.target import LocalStackRefusedError, asks_for_local_stack, uses_local_stack

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
    arguments = sys.argv[1:] or ["help"]
    deploy_files = sorted(path.relative_to(CHECKOUT) for path in (CHECKOUT / "deploy").glob("*.env"))
    try:
        if not asks_for_local_stack(arguments[0], os.environ):
            read_env_file()
        is_local = uses_local_stack(arguments, os.environ, deploy_files)
    except (LocalStackRefusedError, ValueError) as error:
        sys.exit(str(error))
    if is_local:
        from tools.local.launch import run_on_local_stack

        run_on_local_stack(arguments[0], partial(run, is_local=True))
    else:
        run()


def read_env_file() -> None:
    """Set what `.env` beside this file names and the environment does not."""
    from dotenv import load_dotenv

    # Without interpolation: a password may hold any character.
    load_dotenv(CHECKOUT / ".env", override=False, interpolate=False)


def run(*, is_local: bool = False) -> None:
    """Say what the command line acts on, and hand it to Django."""
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from common.audit import command_acting
    from common.postgresql.base import statements_unlimited
    from ivsvod.target import LOCAL_COMMANDS, described, touches_services

    command, *_ = arguments = sys.argv[1:] or ["help"]
    if command not in LOCAL_COMMANDS and touches_services(arguments):
        print(f"{command} acts on {described(settings, os.environ, is_local=is_local)}", file=sys.stderr)  # noqa: T201
    with nullcontext() if command in SERVING_COMMANDS else statements_unlimited(), command_acting(command):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
