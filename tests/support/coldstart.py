"""What a cold start costs: `python -m tests.support.coldstart --rounds 9`, after `make package`.

Side by side, in turns, each time in a fresh process with what Lambda's Python has: the package, by its first read of
the API and by its first event; the smallest project of Django and DRF behind the same handler of Zappa, with bytecode
that is used; and this project as Zappa packs it by default, with bytecode that is not. Ratios are of medians.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from deploy.package import CHECKOUT, bytecode_write, dependencies_install, lambda_python
from tests.support.lambda_http import rest_v1
from tests.support.packaged import HOST, environment, running, runtime_packages, unzipped, variables
from tools.local import launch, postgres
from tools.local.aws import LocalAws

EVENT = {"id": "1", "detail-type": "x", "source": "aws.ivs", "time": "2026-03-04T09:00:00Z", "detail": {}}
SETTINGS = f"""
import os
SECRET_KEY, ALLOWED_HOSTS, ROOT_URLCONF, USE_TZ = "small", ["{HOST}"], "small.urls", True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PG_DATABASE"],
    "USER": os.environ["PG_USER"], "HOST": os.environ["PG_HOST"], "PORT": os.environ["PG_PORT"]}}}}
"""
URLS = """
from django.contrib.auth.models import Group
from django.urls import include, path
from rest_framework import routers, serializers, viewsets
class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Group, ["id", "name"]
class Groups(viewsets.ReadOnlyModelViewSet):
    queryset, serializer_class = Group.objects.all(), GroupSerializer
router = routers.DefaultRouter()
router.register("groups", Groups)
urlpatterns = [path("", include(router.urls))]
"""
ZAPPA = """
LOG_LEVEL, PROJECT_NAME, API_STAGE, DOMAIN, DEBUG, BINARY_SUPPORT = "INFO", "small", "dev", None, False, True
CONTEXT_HEADER_MAPPINGS, COGNITO_TRIGGER_MAPPING, AWS_EVENT_MAPPING, AWS_BOT_EVENT_MAPPING = {}, {}, {}, {}
ENVIRONMENT_VARIABLES, EXCEPTION_HANDLER, DJANGO_SETTINGS = {}, None, "small.settings"
"""
SMALLEST = ("Django", "djangorestframework", "psycopg", "zappa", "Werkzeug", "durationpy", "asgiref", "sqlparse")
SMALLEST += ("MarkupSafe", "typing_extensions", "psycopg-binary")


@dataclass(frozen=True)
class Start:
    """What is started, and by what."""

    name: str
    task: Path
    environment: dict[str, str]
    event: dict[str, Any]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="ivsvod-coldstart-") as name:
        folder = Path(name)
        with postgres.use(folder / "home", durable=False) as server:
            starts, runtime = _starts(folder, server)
            found: dict[str, list[tuple[float, float, int]]] = {start.name: [] for start in starts}
            for _ in range(rounds):
                for start in starts:
                    found[start.name].append(_measure(start, runtime))
    _print(found)


def _starts(folder: Path, server: postgres.Server) -> tuple[list[Start], Path]:
    aws = LocalAws(folder / "aws")
    aws.s3.create_bucket(launch.BUCKET)
    url = "http://127.0.0.1:9"
    os.environ.update(aws.environment(url))
    own = environment(variables(server, aws, url), aws.environment(url))
    task, runtime = unzipped(folder), runtime_packages(folder)
    with running(task, runtime, own) as function:
        function.invoke({"manage": "migrate"})
    small = {**own, "_HANDLER": "zappa.handler.lambda_handler"}
    read = rest_v1("GET", "/on-demand", Host=HOST)
    return [
        Start("smallest project, first read", _smallest(folder), small, rest_v1("GET", "/groups/", Host=HOST)),
        Start("package, first read", task, own, read),
        Start("package, first event", task, own, EVENT),
        Start("packed by Zappa's default, first read", _default(folder, task), own, read),
    ], runtime


def _smallest(folder: Path) -> Path:
    """Django, DRF and Zappa's handler, with bytecode as the package has it."""
    task = folder / "smallest"
    pinned = (CHECKOUT / "requirements-lambda.txt").read_text().splitlines()
    lines = [line for line in pinned if line.partition("==")[0].partition("[")[0] in SMALLEST]
    (folder / "smallest.txt").write_text("\n".join(lines))
    dependencies_install(task, folder / "smallest.txt")
    (task / "small").mkdir()
    for name, text in {
        "small/__init__": "",
        "small/settings": SETTINGS,
        "small/urls": URLS,
        "zappa_settings": ZAPPA,
    }.items():
        (task / f"{name}.py").write_text(text)
    bytecode_write(lambda_python(), task)
    return task


def _default(folder: Path, package: Path) -> Path:
    """The whole environment and the project, with the bytecode that pip made, and times as in Zappa's package."""
    task = folder / "default"
    files = [(CHECKOUT / name).read_text() for name in ("requirements-lambda.txt", "requirements.txt")]
    # It has no wheel, and nothing of ours loads it.
    lines = [line for text in files for line in text.splitlines() if not line.startswith(("-r", "placebo"))]
    (folder / "default.txt").write_text("\n".join(lines))
    dependencies_install(task, folder / "default.txt")
    for name in (
        "common",
        "ivsvod",
        "channels_app",
        "ondemand",
        "templates",
        "staticfiles",
        "openapi.json",
        "zappa_settings.py",
    ):
        source = package / name
        copy = shutil.copy if source.is_file() else shutil.copytree
        copy(source, task / name)
    subprocess.run(["chmod", "-R", "u+w", str(task)], check=True)
    for cache in sorted(task.rglob("__pycache__")):
        shutil.rmtree(cache)
    subprocess.run([lambda_python(), "-m", "compileall", "-q", str(task)], check=False)
    for path in task.rglob("*.py"):
        os.utime(path, (315532800, 315532800))
    return task


def _measure(start: Start, runtime: Path) -> tuple[float, float, int]:
    """Seconds from nothing to the answer, and how much memory the process had at most."""
    began = time.perf_counter()
    with running(start.task, runtime, start.environment) as function:
        answer = function.invoke(start.event)
        seconds = time.perf_counter() - began
        if answer.get("statusCode", 200) != 200:
            sys.exit(f"{start.name}: {json.dumps(answer)[:500]}")
        return seconds, function.last["seconds"], function.last["peak_memory"]


def _print(found: dict[str, list[tuple[float, float, int]]]) -> None:
    seconds = {name: median(one[0] for one in times) for name, times in found.items()}
    memory = {name: median(one[2] for one in times) for name, times in found.items()}
    first = next(iter(found))
    print(f"{'':40} {'seconds':>8} {'ratio':>6} {'peak MB':>8} {'ratio':>6}")
    for name in found:
        ratios = seconds[name] / seconds[first], memory[name] / memory[first]
        print(f"{name:40} {seconds[name]:8.2f} {ratios[0]:6.2f} {memory[name] / 1e6:8.0f} {ratios[1]:6.2f}")
    last = list(found)[-1]
    print(f"package to Zappa's default, first read: {seconds['package, first read'] / seconds[last]:.2f}")


if __name__ == "__main__":
    main()
