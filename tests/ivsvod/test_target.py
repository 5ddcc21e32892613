"""The target of a command: named on stderr, and never the local stack if a deployment may be meant."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ivsvod.target import LocalStackRefusedError, described, uses_local_stack
from tests.deploy.test_docs import settings_variables
from tests.support.helpers import OWNER
from tests.support.settings import CHECKOUT, NEEDED, SECRET
from tools.local import launch

pytestmark = pytest.mark.slow

FILES = [Path("deploy/production.env")]


@pytest.mark.parametrize(
    ("line", "environment", "files", "expected"),
    [
        ("create_channel x", {}, [], True),
        ("create_channel x", {}, FILES, None),
        ("migrate", {}, FILES, None),
        ("check --deploy", {"PG_HOST": ""}, FILES, None),
        ("migrate", {"IVSVOD_LOCAL": "1"}, FILES, True),
        ("migrate", {"IVSVOD_LOCAL": "0"}, FILES, None),
        ("migrate", {"PG_HOST": "db.example.com"}, FILES, False),
        ("migrate", {"DATABASE_URL": "postgres://db.example.com/x"}, [], False),
        # Whoever asks for the local stack gets it, whatever else is set.
        ("migrate", {"IVSVOD_LOCAL": "1", "PG_HOST": "db.example.com"}, FILES, True),
        ("demo", {"PG_HOST": "db.example.com"}, FILES, True),
        ("simulate_broadcast x", {}, FILES, True),
        ("stop", {}, FILES, True),
        ("bench", {}, FILES, True),
        ("openapi", {}, FILES, True),
        ("makemigrations --check", {}, FILES, True),
        ("create_channel --help", {}, FILES, True),
    ],
)
def test_the_local_stack_is_used_if_requested_or_if_no_database_is_named(
    line: str, environment: dict[str, str], files: list[Path], expected: bool | None
) -> None:
    if expected is None:
        with pytest.raises(LocalStackRefusedError):
            uses_local_stack(line.split(), environment, files)
    else:
        assert uses_local_stack(line.split(), environment, files) is expected


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the file of a stage, and nothing started."""
    folder = tmp_path_factory.mktemp("check out")
    shutil.copy(CHECKOUT / "manage.py", folder)
    for name in ("common", "tools", "channels_app", "ivsvod", "ondemand"):
        (folder / name).symlink_to(CHECKOUT / name)
    (folder / "deploy").mkdir()
    variables = {**NEEDED, "RECORDING_CONFIG_ARN": "arn:aws:ivs:eu-west-1:111122223333:recording-configuration/x"}
    lines = [f"{name}='{value}'" for name, value in {**variables, "AWS_REGION": "eu-west-1"}.items()]
    (folder / "deploy" / "production.env").write_text("\n".join(lines))
    return folder


def shell(checkout: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    home = str(checkout / ".local")
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("manage.py", f"'{sys.executable}' -W error manage.py")],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "IVSVOD_HOME": home, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_environment_file_that_was_not_exported_makes_no_channel_on_the_local_stack(checkout: Path) -> None:
    done = shell(checkout, f". deploy/production.env; manage.py create_channel x --owner {OWNER}")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "set -a; . deploy/production.env; set +a" in line
    assert "IVSVOD_LOCAL=1" in line
    assert not (checkout / ".local").exists()


def test_a_command_names_the_database_and_the_aws_that_it_acts_on_and_no_secret(checkout: Path) -> None:
    line = "set -a; . deploy/production.env; set +a; AWS_PROFILE=ops manage.py diffsettings --output unified"
    done = shell(checkout, line)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "diffsettings acts on database db.example.com/ivsvod, AWS eu-west-1 "
        "(profile ops, account 111122223333 of RECORDING_CONFIG_ARN)\n"
    )
    assert SECRET not in done.stderr


def test_a_command_reads_the_env_file_beside_it_and_the_environment_wins(checkout: Path) -> None:
    variables = (checkout / "deploy/production.env").read_text().replace("DATABASE_URL", "IGNORED")
    database = "PG_HOST=pg.example.com\nPG_DATABASE='${HOME}$1'\nPG_USER=u\nPG_PASSWORD=p"
    (checkout / ".env").write_text(f"{variables}\n{database}\n")
    done = shell(checkout, "manage.py diffsettings --output unified", AWS_REGION="eu-central-1")
    (checkout / ".env").unlink()
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("diffsettings acts on database pg.example.com:5432/${HOME}$1, AWS eu-central-1 ")


def test_the_local_stack_is_named_if_requested_and_stdout_is_left_to_the_command(checkout: Path) -> None:
    # The server of this home runs already.
    local = {"IVSVOD_LOCAL": "1", "IVSVOD_HOME": os.environ["IVSVOD_TEST_HOME"]}
    done = shell(checkout, "manage.py shell --no-imports -c 'print(1)'", PG_HOST="db.example.com", **local)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    ignored, acting = done.stderr.splitlines()
    assert ignored == "Local stack: ignored PG_HOST of your environment."
    assert acting.startswith("shell acts on the local stack: database /")
    assert acting.endswith("/ivsvod, AWS eu-west-1")


def test_nonsense_in_ivsvod_local_is_refused_by_name(checkout: Path) -> None:
    done = shell(checkout, "manage.py migrate", IVSVOD_LOCAL="yes")
    assert (done.returncode, done.stderr) == (1, "IVSVOD_LOCAL is not 0 or 1\n")


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("db.example.com", 5433, "database db.example.com:5433/ivsvod, AWS without a region"),
        ("/var/run/postgresql", 5432, "database /var/run/postgresql/ivsvod, AWS without a region"),
        (f"ivsvod:{SECRET}@db.example.com", "", "database db.example.com/ivsvod, AWS without a region"),
    ],
)
def test_the_description_holds_host_and_name_alone(host: str, port: object, expected: str) -> None:
    database = {"HOST": host, "PORT": port, "NAME": "ivsvod", "USER": "someone", "PASSWORD": SECRET}
    settings = SimpleNamespace(DATABASES={"default": database}, AWS_REGION="", RECORDING_CONFIG_ARN="")
    assert described(settings, {}, is_local=False) == expected


def test_the_local_stack_ignores_each_variable_that_could_lead_to_something_real() -> None:
    looks = {"SITE_NAME", "SITE_LOGO", "SITE_COLOUR", "SITE_FOOTER", "TEMPLATES_DIR"}
    harmless = {"EMBEDDED_METRICS", "LANGUAGE_CODE", "TIME_ZONE", *looks}
    read = {name for name in settings_variables() if not name.startswith(launch.FOREIGN_PREFIXES)}
    assert not read - harmless - launch.OWN_NAMES - launch.FOREIGN_NAMES
