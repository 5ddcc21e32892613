"""The test session runs on a PostgreSQL and an AWS of its own; no variable of the caller reaches it."""

import atexit
import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.session
import django.test.utils
import pytest
from django.template.base import Template

from tools.local import launch, postgres
from tools.local.aws import LocalAws, install_in_process

TESTS = Path(__file__).resolve().parent
LOCAL_AWS_URL = "http://127.0.0.1:9/_local"
# Imports and collected tests live to the end: to look through them for garbage would take a fifth of the time.
gc.disable()


def _own_environment() -> None:
    """Workers of pytest-xdist inherit what the first process has set."""
    if "IVSVOD_TEST_HOME" not in os.environ:
        launch.ignore_callers_environment(os.environ)
        session = ExitStack()
        # An own folder for each session, so that two of them at once do not meet.
        home = Path(tempfile.mkdtemp(prefix="ivsvod-test-"))
        session.callback(shutil.rmtree, home, ignore_errors=True)
        server = session.enter_context(postgres.use(home, durable=False))
        atexit.register(session.close)
        os.environ["IVSVOD_TEST_HOME"] = str(home)
        aws = LocalAws(home)
        os.environ.update(launch.stack_environment(home, server, aws.environment(LOCAL_AWS_URL)))
        os.environ["PLAYBACK_BASE_URL"] = "https://media.example.com"
    os.environ["DJANGO_SETTINGS_MODULE"] = "ivsvod.settings"


_own_environment()

from django.conf import settings as django_settings  # noqa: E402  (needs the environment)
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from django.urls import clear_script_prefix  # noqa: E402
from whitenoise.base import WhiteNoise  # noqa: E402

# pytest-django sets Django up when it finds the settings loaded.
assert django_settings.DATABASES
# A password takes a third of a second by the hasher of production, and hundreds of tests make an account.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _static_files_looked_up_once() -> None:
    """Each client of a test makes the middleware anew; looking through all static files takes an eighth of a second."""
    look, known = WhiteNoise.update_files_dictionary, {}

    def looked_up(self: WhiteNoise, root: str, prefix: str) -> None:
        if (root, prefix) not in known:
            look(self, root, prefix)
            known[root, prefix] = dict(self.files)
        self.files.update(known[root, prefix])

    WhiteNoise.update_files_dictionary = looked_up


_static_files_looked_up_once()
# Each session of boto3 would parse the models of the services anew, some megabytes of JSON.
botocore.session.create_loader = cache(botocore.session.create_loader)
# Nothing reads the contexts of an answer: Django would keep a copy for each field of a form.
django.test.utils.instrumented_test_render = Template._render


def _flushed(case: TransactionTestCase) -> None:
    """Delete all rows but those of migrations after a test with transactions; TRUNCATE takes thirty times longer."""
    from django.contrib.auth.models import Group

    ready = import_module("ivsvod.accounts.migrations.0003_groups").GROUPS
    Group.objects.exclude(name__in=ready).delete()
    kept = {"auth_group", "auth_group_permissions", "auth_permission", "django_content_type"}
    # Without triggers and foreign keys.
    statements = ["SET LOCAL session_replication_role = replica"]
    statements += [f'DELETE FROM "{table}"' for table in {*connection.introspection.django_table_names()} - kept]  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(statements))


TransactionTestCase._fixture_teardown = _flushed


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark slow tests before pytest selects by marker, and run them first: the workers end at the same time."""
    for item in items:
        # A group shares what takes long to start: a server, databases, the demo.
        if any(map(item.get_closest_marker, ("browser", "xdist_group"))):
            item.add_marker("slow")
    yield
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage from now on, and fail with versions of pytest and pytest-xdist that ignore groups."""
    gc.freeze()
    # Seldom: a collection looks through all that the tests of a process keep.
    gc.set_threshold(200_000)
    gc.enable()
    # Tests of a group share what they start.
    if getattr(session.config.option, "loadgroup", False):
        assert all("@" in item.nodeid for item in session.items if item.get_closest_marker("xdist_group"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a short id for a long text: ids are part of every report, and some of the texts are megabytes."""
    if isinstance(val, str | bytes) and len(val) > 60:
        return f"{ascii(val[:40])[:60]}... of {len(val)}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[Any]:
    """Watch each test, with its fixtures, for secrets where none belongs."""
    from tests.support.leaks import WATCH

    WATCH.begin()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[Any]:
    """Fail a test that has shown a secret."""
    from tests.support.leaks import WATCH

    result = yield
    if leaks := WATCH.end():
        pytest.fail("\n".join(leaks), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Iterator[None]:
    """Collect static files, which pages name by the manifest; workers start while this process makes their database."""
    from tests.support.leaks import install
    from tests.support.processes import migrated_template

    install()
    if not hasattr(session.config, "workerinput"):
        call_command("collectstatic", interactive=False, verbosity=0)
    yield
    if getattr(session.config.option, "dist", "no") != "no":
        migrated_template()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of each worker is a copy of one that was migrated once a session."""
    from tests.support.processes import migrated_template

    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(autouse=True)
def no_stage_of_another_test() -> Iterator[None]:
    """A request through WSGI leaves its SCRIPT_NAME on the thread, which addresses made without one follow."""
    yield
    clear_script_prefix()


@pytest.fixture(scope="session")
def embedded_databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Any]:
    """Databases of the predecessor and of this service on one embedded server: one a worker."""
    from tests.support.adoption import databases_on

    with databases_on("embedded", tmp_path_factory.mktemp("embedded"), django_db_blocker) as databases:
        # All now: a database is not copied while a test is connected to it.
        assert databases.adopted
        assert databases.scratch
        yield databases


@pytest.fixture(scope="session")
def aws_at_first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An IVS and S3 with a recording bucket and configuration: the folder, to be copied, and the ARN of the latter."""
    local = LocalAws(tmp_path_factory.mktemp("aws"))
    local.s3.create_bucket(django_settings.RECORDING_BUCKET)
    return local.home, launch.recording_configuration(local, django_settings.RECORDING_BUCKET)


@pytest.fixture
def aws(tmp_path: Path, settings: Any, pace: Any, aws_at_first: tuple[Path, str]) -> Iterator[LocalAws]:
    """A fresh local IVS and S3 in this process, with a recording bucket and configuration."""
    home, settings.RECORDING_CONFIG_ARN = aws_at_first
    local = LocalAws(shutil.copytree(home, tmp_path / "aws"))
    uninstall = install_in_process(local, LOCAL_AWS_URL)
    yield local
    uninstall()
    # A test may have put another application there.
    if hasattr(vars(local).get("s3"), "reset"):
        from moto.core.model_instances import reset_model_data

        local.s3.reset()
        # Each reset goes through all keys that the process has ever made.
        reset_model_data()


@pytest.fixture
def api_key(settings: Any) -> str:
    """The predecessor's shared key."""
    settings.AUTH_API_KEY = "a shared key"
    return "a shared key"


@pytest.fixture
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between the tries of a call that fails, and no quota of them, which the clients of all tests share."""
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time by which calls to IVS are paced passes at once."""
    from tests.support.reconciling import FakeTime

    time = FakeTime()
    monkeypatch.setattr("common.aws.clients.time", time)
    return time


@pytest.fixture
def asked(aws: LocalAws, pace: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What IVS is asked from now on."""
    from tests.support.reconciling import Asked

    return Asked(aws, pace, monkeypatch)


@pytest.fixture
def past(aws: LocalAws) -> Any:
    """What happened in IVS and S3."""
    from tests.support.reconciling import Past

    return Past(aws)


@pytest.fixture
def staff(db: None) -> Any:
    """A superuser."""
    from ivsvod.accounts.models import User

    return User.objects.create_superuser("boss", password="a long password 1")


@pytest.fixture
def browser(staff: Any) -> Any:
    """A browser in which the superuser is signed in."""
    from tests.support.console import signed_in

    return signed_in(staff)


@pytest.fixture
def streams(db: None) -> Any:
    """One stream of each state; the newest first."""
    from channels_app.models import Channel
    from tests.support.console import make_channel, make_stream

    channel, gone = make_channel(), make_channel(status=Channel.Status.DELETED, name="Gone")
    return {
        "live": make_stream(channel, "st-live", start=60),
        "never live": make_stream(channel, "st-never"),
        "ended": make_stream(channel, "st-ended", start=-60, end=-40),
        "no end": make_stream(channel, "st-open", start=-100),
        "gone": make_stream(gone, "st-gone", start=-120),
    }


@pytest.fixture
def url(aws: LocalAws, settings: Any) -> Iterator[str]:
    """Where the service and its media are served for a browser, on one origin, as in the demo."""
    from tests.support.chromium import serving

    with serving(aws, settings) as origin:
        yield origin


@pytest.fixture(scope="session")
def one_chromium() -> Iterator[None]:
    """The Chromium that all tests of this process share ends with the session."""
    from tests.support.chromium import stops

    yield
    # Its process may end a moment after the loop that waits for it.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    while stops:
        stops.pop()()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recording is kept, so that it is made once."""
    return tmp_path_factory.mktemp("recording")


@pytest.fixture
def video(url: str, aws: LocalAws, recorded: Path) -> Any:
    """A recorded broadcast with content, beside videos of every other kind."""
    from tests.support.chromium import recorded_video

    return recorded_video(aws, recorded)
