"""`make package`: make the Lambda package `dist/ivsvod.zip` by Zappa, with nothing that does not run there.

Zappa packs a whole virtual environment: with its own command line, with boto3, which the runtime has, and with bytecode
that Python ignores, since its times differ from those of the packed sources. So this module prepares the input of
Zappa: the dependencies in a folder shaped like an environment, a clean copy of the project, collected static files, and
unchecked bytecode, without the sources of libraries. The same input gives the same bytes.
https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from deploy.settings import SettingsError, stage_settings

CHECKOUT = Path(__file__).resolve().parent.parent
BUILD = CHECKOUT / "build"
ENVIRONMENT = BUILD / "dependencies"
PROJECT = BUILD / "project"
PACKAGE = CHECKOUT / "dist" / "ivsvod.zip"
VERSION = "3.13"
# Lambda's Python 3.13 runs on Amazon Linux 2023, with glibc 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
# The folder of the unpacked package on Lambda, which tracebacks name.
TASK_ROOT = "/var/task"
# The largest size of the package in bytes.
LARGEST = 22_000_000

# Prefixes of packed paths among the files that git tracks.
_PACKED = ("ivsvod/", "ondemand/", "channels_app/", "common/", "templates/", "locale/", "operator/", "openapi.json")
# Unused files below site-packages: tools, tests, types, sources of translations, the browsable API of DRF, time zones
# that Python has itself, other storages than S3, what Zappa deploys by, and picture formats that cannot be uploaded.
_PRUNED = (
    "bin",
    "share",
    "**/tests",
    "**/*.pyi",
    "**/*.po",
    "**/*.dist-info/RECORD",
    "**/*.dist-info/licenses",
    "**/*.dist-info/sboms",
    "django/contrib/gis",
    "django/contrib/flatpages",
    "django/contrib/redirects",
    "django/contrib/sitemaps",
    "django/contrib/syndication",
    "django/db/backends/mysql",
    "django/db/backends/oracle",
    "django/db/backends/sqlite3",
    "django/contrib/*/static",
    "django/conf/app_template",
    "django/conf/project_template",
    "rest_framework/static",
    "rest_framework/templates",
    "drf_spectacular_sidecar/static",
    "auditlog/static",
    "dateutil/zoneinfo/*.tar.gz",
    "django_otp/plugins/otp_email",
    "django_otp/plugins/otp_hotp",
    # Content-Security-Policy reads the version of Django by it.
    "packaging/[!_v]*",
    "storages/backends/[!_s]*",
    "storages/backends/sftpstorage.py",
    "zappa/cli.py",
    "zappa/core.py",
    "zappa/letsencrypt.py",
    "zappa/policies",
    "cffi",
    "werkzeug/debug",
    "PIL/_avif*",
    "PIL/_imagingcms*",
    "PIL/_imagingft*",
    "PIL/_imagingmath*",
    "PIL/_imagingmorph*",
    "PIL/_imagingtk*",
    "pillow.libs/libavif*",
    "pillow.libs/libfreetype*",
    "pillow.libs/libharfbuzz*",
    "pillow.libs/liblcms2*",
    "pillow.libs/libbrotli*",
)
# The only file that Zappa adds and the package needs. The others are its handler, the time and user of the packing, and
# an empty `__init__.py` in each folder without one, which would hide the bytecode beside it.
_OF_ZAPPA = "zappa_settings.py"
_SETTINGS_OF_PACKAGE = (
    *("project_name", "runtime", "django_settings", "lambda_handler"),
    *("debug", "log_level", "use_precompiled_packages", "manage_roles"),
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Build the package and print its contents."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stage", default="production", help="of zappa_settings.json")
    parser.add_argument("--languages", default="de es", help="of the pages beside English, as in LANGUAGE_CODE")
    parser.add_argument("--static", choices=["package", "bucket"], default="package", help="where static files will be")
    options = parser.parse_args()
    python = lambda_python()
    try:
        settings = stage_settings(zappa_settings(), options.stage)
    except SettingsError as error:
        sys.exit(str(error))
    shutil.rmtree(BUILD, ignore_errors=True)
    # A failure must leave no package that could be deployed.
    PACKAGE.unlink(missing_ok=True)
    _say("Copying the project")
    project_copy()
    _say("Installing what it needs")
    dependencies_install(site_packages(), CHECKOUT / "requirements-lambda.txt")
    # Zappa looks for the packages of the Python that it runs under.
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if own != f"python{VERSION}":
        (ENVIRONMENT / "lib" / own).symlink_to(f"python{VERSION}")
    prune(site_packages(), ["en", *options.languages.split()])
    _say("Collecting static files")
    static_collect(keep=options.static == "package")
    _say("Compiling")
    bytecode_write(python, PROJECT)
    bytecode_write(python, site_packages())
    sources_drop(site_packages())
    _say("Packing, by Zappa")
    packed = zappa_pack(options.stage, settings)
    rewrite(packed, PACKAGE)
    _say(report(PACKAGE))
    if PACKAGE.stat().st_size > LARGEST:
        PACKAGE.unlink()
        sys.exit(f"The package has more than {_megabytes(LARGEST)}.")


def site_packages() -> Path:
    """Return the folder of the dependencies."""
    return ENVIRONMENT / "lib" / f"python{VERSION}" / "site-packages"


def lambda_python() -> str:
    """Return a Python of Lambda's version, which ignores the bytecode of another.

    Raises:
        SystemExit: there is no such Python.
    """
    given = os.environ.get("LAMBDA_PYTHON")
    # The first of them may be a shim for a version that is not installed.
    candidates = [given] if given else [shutil.which(f"python{VERSION}"), f"/usr/bin/python{VERSION}"]
    found = next((path for path in candidates if path and _is_of_lambda(path)), None)
    if not found:
        sys.exit(f"Python {VERSION} is needed, as on Lambda: install it, or LAMBDA_PYTHON=/path/to/python{VERSION}")
    return found


def _is_of_lambda(python: str) -> bool:
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == VERSION
    except OSError:
        return False


def project_copy() -> None:
    """Copy the files that git tracks and that run in production, as they are in the checkout."""
    for name in _listed("--others", "--exclude-standard"):
        _say(f"  not packed, because git does not track it: {name}")
    for name in _listed("--cached"):
        # A link could lead out of the checkout.
        if (CHECKOUT / name).is_file() and not (CHECKOUT / name).is_symlink():
            target = PROJECT / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, target)
    # Git ignores these: the Makefile compiles them.
    for compiled in (CHECKOUT / "locale").glob("**/*.mo"):
        target = PROJECT / compiled.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(compiled, target)


def _listed(*options: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--deduplicate", *options]
    try:
        done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit("git does not list the files of this folder: the package is made of a clone")
    names = sorted(filter(None, done.stdout.split("\0")))
    packed = [name for name in names if name.startswith(_PACKED)]
    # Static files are packed as they are collected, and texts as they are compiled.
    return [name for name in packed if "/static/" not in name and not name.endswith(".po")]


def dependencies_install(folder: Path, requirements: Path) -> None:
    """Install the wheels of Lambda's platform on any machine."""
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(folder), "--implementation", "cp", "--python-version", VERSION, *platforms]
    command += ["--only-binary=:all:", "--no-deps", "--no-compile", "-r", str(requirements)]
    subprocess.run(command, check=True)


def prune(folder: Path, languages: Iterable[str]) -> None:
    """Remove unused files, and the translations of other languages."""
    kept = {language.replace("-", "_").lower() for language in languages}
    unused = [path for pattern in _PRUNED for path in folder.glob(pattern)]
    unused += [locale for locale in folder.glob("**/locale/*/") if locale.name.lower() not in kept]
    for path in unused:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def static_collect(*, keep: bool) -> None:
    """Collect the hashed files and the manifest; without `keep` only the manifest."""
    root = PROJECT / "staticfiles"
    collectstatic({"STATIC_ROOT": str(root)})
    manifest = json.loads((root / "staticfiles.json").read_text())["paths"]
    # Of the libraries of the admin Django takes the `.min.js`, but for DEBUG.
    whole = {name for name in manifest if name.removesuffix(".js") + ".min.js" in manifest}
    kept = {file for name, file in manifest.items() if name not in whole and not file.endswith(".map")}
    served = kept if keep else set()
    # Without compressed twins: API Gateway compresses by itself, and so does CloudFront.
    served.add("staticfiles.json")
    for path in [path for path in root.rglob("*") if path.is_file()]:
        if path.relative_to(root).as_posix() not in served:
            path.unlink()


def collectstatic(variables: Mapping[str, str]) -> None:
    """Run Django's command with these variables and otherwise with settings that reach no service."""
    command = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity", "0"]
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "ivsvod.settings",
        "SECRET_KEY": "only collects static files",
        "FIELD_ENCRYPTION_KEYS": "none",
        "ALLOWED_HOSTS": "none",
        "DATABASE_URL": "postgres://none/none",
        **variables,
    }
    subprocess.run(command, cwd=CHECKOUT, check=True, env=environment)


def bytecode_write(python: str, folder: Path) -> None:
    """Compile bytecode that Python never compares with its source, whose time the package does not keep."""
    command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", TASK_ROOT, str(folder)]
    subprocess.run(command, check=True, env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"})


def sources_drop(folder: Path) -> None:
    """Replace the sources of libraries by bytecode, except of migrations, whose bytecode Zappa drops.

    Their tracebacks still name file and line. https://docs.python.org/3/library/compileall.html#cmdoption-compileall-b
    """
    for source in sorted(folder.rglob("*.py")):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-{VERSION.replace('.', '')}.pyc"
        if source.parent.name != "migrations" and compiled.is_file():
            compiled.replace(source.with_suffix(".pyc"))
            source.unlink()


def zappa_settings() -> dict[str, Any]:
    """Return the content of `zappa_settings.json`."""
    return json.loads((CHECKOUT / "zappa_settings.json").read_text())


def zappa_pack(stage: str, settings: Mapping[str, Any]) -> Path:
    """Return Zappa's package of the two folders, made without a call to AWS and without values of an account."""
    own = {name: value for name, value in settings.items() if name in _SETTINGS_OF_PACKAGE}
    (PROJECT / "zappa_settings.json").write_text(json.dumps({stage: own}))
    target = BUILD / "zappa.zip"
    # Zappa looks for a newer version of itself: a proxy that does not exist prevents that.
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT), "HTTPS_PROXY": "http://127.0.0.1:9"}
    command = [str(Path(sys.executable).with_name("zappa")), "package", stage, "-o", str(target)]
    done = subprocess.run(command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode != 0 or not target.is_file():
        sys.exit(f"zappa package failed:\n{done.stdout}{done.stderr}")
    return target


def rewrite(packed: Path, target: Path) -> None:
    """Write the input of Zappa and its settings file, sorted, with one time and one mode."""
    target.parent.mkdir(exist_ok=True)
    own = {path.relative_to(root).as_posix() for root in (PROJECT, site_packages()) for path in root.rglob("*")}
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name in sorted(set(source.namelist()) & (own - {"zappa_settings.json"} | {_OF_ZAPPA})):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            made.writestr(entry, source.read(name), zipfile.ZIP_DEFLATED, 9)


def report(package: Path) -> str:
    """Return the size of the package, and the share of each library."""
    with zipfile.ZipFile(package) as archive:
        entries = archive.infolist()
    shares = Counter[str]()
    for entry in entries:
        shares[_owner(PurePosixPath(entry.filename))] += entry.compress_size
    unpacked = sum(entry.file_size for entry in entries)
    total = package.stat().st_size
    largest = shares.most_common(20)
    largest.append((f"{len(shares) - len(largest)} others", shares.total() - sum(size for _, size in largest)))
    lines = [f"  {_megabytes(size):>9}  {size / total:5.1%}  {owner}" for owner, size in largest]
    sizes = f"{_megabytes(total)} zipped, {_megabytes(unpacked)} unpacked, {len(entries)} files"
    return "\n".join([f"{package.relative_to(CHECKOUT)}: {sizes}", *lines])


def _owner(path: PurePosixPath) -> str:
    first = path.parts[0]
    if len(path.parts) > 1 and first in {"ivsvod", "ondemand", "channels_app", "common", "templates", "locale"}:
        return "ivsvod itself"
    if first == "staticfiles":
        return "static files"
    if first.endswith(".dist-info"):
        return "metadata"
    named = first.removesuffix(".libs").removesuffix(".pyc").partition("-")[0]
    return {"PIL": "pillow", "psycopg_binary": "psycopg", "_cffi_backend.cpython": "cffi"}.get(named, named)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
