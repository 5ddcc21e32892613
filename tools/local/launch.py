"""Run a management command on the local stack, with the environment variables that a deployment sets."""

import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.core.management.base import CommandError

from channels_app.channels.playback_keys import new_private_key_pem, public_key_pem
from tools.local import postgres
from tools.local.aws import LocalAws, install_in_process
from tools.local.ivs.playback import fingerprint_of
from tools.local.postgres import PostgresUnavailable, Server, ServerFolder

CHECKOUT = Path(__file__).resolve().parent.parent.parent
BUCKET = "ivsvod-recordings"
# The local stack ignores these variables of the caller. It sets those that settings.py reads, or leaves their default.
FOREIGN_NAMES = {"DATABASE_URL", "DATABASE_READ_URL"}
FOREIGN_PREFIXES = ("PG", "AWS_")
OWN_NAMES = {
    "ALLOWED_HOSTS", "ANSWER_CACHE", "API_IGNORED_PARAMETERS", "API_MAX_PAGE_SIZE", "API_PUBLIC_READ", "AUTH_API_KEY",
    "CACHE_URL", "CATALOGUE_PAGE", "CLOUDFRONT_HASH_ALGORITHM", "CLOUDFRONT_KEY_ID", "CLOUDFRONT_PRIVATE_KEY",
    "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "DEAD_LETTER_QUEUE_URL", "DEBUG", "EMBED_ANCESTORS",
    "EVENT_QUEUE_URL", "EXTRA_APPS", "FIELD_ENCRYPTION_KEYS", "GRANT_RETENTION_DAYS", "HOLD_UNTIL_CHECKED",
    "INBOX_RETENTION_DAYS", "IVS_FORWARDER", "IVS_PLAYBACK_KEY_ARN", "IVS_PLAYBACK_PRIVATE_KEY",
    "LIVE_STATE_LEGACY_KEY", "NEW_VIDEO_STATE", "OIDC_AUDIENCE", "OIDC_ISSUER", "OIDC_JWKS", "OIDC_SCOPE_PREFIX",
    "ORIGIN_SECRET", "PLAYBACK_BASE_URL", "PROJECT_NAME", "PROTECT_RECORDINGS", "PUBLIC_HOST", "RECORDING_BUCKET",
    "RECORDING_BUCKETS", "RECORDING_CONFIG_ARN", "REQUIRE_SECOND_FACTOR", "SEARCH_CONFIG", "SECRET_KEY",
    "SECRET_KEY_FALLBACKS", "SECURE_COOKIES", "STAGE", "STATIC_BUCKET", "STATIC_ROOT", "STATIC_URL", "THROTTLE_ADDRESS",
    "THROTTLE_GRANTS", "THROTTLE_TOKEN", "THUMBNAIL_HOSTS", "TRUSTED_PROXIES", "VIDEO_PAGE_URL",
}  # fmt: skip
# EFBIG (`ulimit -f`) is treated alike.
_FULL_DISK_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Parts of the messages of PostgreSQL, SQLite and the programs that they run.
_FULL_DISK_TEXTS = (
    *("No space left on device", "Check free disk space", "Disk quota exceeded", "disk is full"),
    *("File too large", "File size limit exceeded"),
)
# The size of a write-ahead log file, which PostgreSQL removes if it cannot write it whole.
_WAL_FILE_BYTES = 16 * 1024 * 1024


def home_folder() -> Path:
    """Return the folder of all state of the local stack."""
    return Path(os.environ.get("IVSVOD_HOME") or CHECKOUT / ".local").expanduser().resolve()


def refuse_real_services() -> Path:
    """Return the home folder, after a check that the database and AWS are those of this home.

    Raises:
        CommandError: one of them is not.
    """
    home = home_folder()
    if settings.DATABASES["default"]["HOST"] != str(ServerFolder(home).socket_dir):
        raise CommandError("refused: the database is not the embedded one of IVSVOD_HOME")
    for name in ("AWS_ENDPOINT_URL_IVS", "AWS_ENDPOINT_URL_S3"):
        if urlsplit(os.environ.get(name, "")).hostname != "127.0.0.1":
            raise CommandError(f"refused: {name} is not the local AWS")
    return home


def port() -> int:
    """Return the port of the demo.

    Raises:
        SystemExit: PORT is not one.
    """
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit("PORT is not a number from 1 to 65535")
    return int(text)


def ignore_callers_environment(environment: MutableMapping[str, str]) -> list[str]:
    """Delete every variable that could lead to something real; return their names, sorted."""
    foreign = [name for name in environment if name in FOREIGN_NAMES | OWN_NAMES or name.startswith(FOREIGN_PREFIXES)]
    for name in foreign:
        del environment[name]
    return sorted(foreign)


def run_on_local_stack(command: str, run: Callable[[], None]) -> None:
    """Start the local stack, run the command, and stop the database unless others use it."""
    home = home_folder()
    if command == "stop":
        print("PostgreSQL stopped." if postgres.stop(home) else "Nothing was running.")  # noqa: T201
        return
    ignored = ignore_callers_environment(os.environ)
    if ignored:
        print(f"Local stack: ignored {', '.join(ignored)} of your environment.", file=sys.stderr)  # noqa: T201
    try:
        with ExitStack() as started:
            if command == "demo":
                refuse_taken_port(port())
                started.enter_context(demo_lock(home, f"http://127.0.0.1:{port()}"))
            server = started.enter_context(postgres.use(home))
            aws = LocalAws(home)
            # boto3 finds the local AWS in the running demo, else in this process.
            running = None if command == "demo" else running_demo(home)
            base_url = f"{running or f'http://127.0.0.1:{port()}'}/_local"
            if not running:
                install_in_process(aws, base_url)
            os.environ.update(stack_environment(home, server, aws.environment(base_url)))
            if is_protected(home, starts_demo=command == "demo", runs_demo=bool(running)):
                os.environ.update(signing_environment(home))
            os.environ["RECORDING_CONFIG_ARN"] = recording_configuration(aws, BUCKET)
            os.environ.update(playback_key(aws, home))
            run()
    except Exception as error:
        if is_disk_full(error, home):
            sys.exit(
                f"The disk of {home} is full, or its quota or `ulimit -f` is used up: make room, and run it again."
            )
        if isinstance(error, PostgresUnavailable):
            sys.exit(f"The embedded PostgreSQL cannot run here: {error}")
        raise


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Return whether a full disk caused an error: by the error or its causes, or because hardly any space is left."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in _FULL_DISK_NUMBERS or any(text in str(cause) for text in _FULL_DISK_TEXTS):
            return True
        cause = cause.__cause__ or cause.__context__
    return shutil.disk_usage(existing).free < _WAL_FILE_BYTES


def refuse_taken_port(number: int) -> None:
    """Check that the port is free.

    Raises:
        SystemExit: another program listens on it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as error:
            sys.exit(
                f"Port {number} of 127.0.0.1 cannot be used ({error.strerror}). Choose another: PORT=8001 make demo"
            )


def running_demo(home: Path) -> str | None:
    """Return the URL of the demo of this home if it runs."""
    lock = home / "demo.lock"
    if not lock.is_file():
        return None
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read_text().strip() or None
    return None


@contextmanager
def demo_lock(home: Path, url: str) -> Iterator[None]:
    """Hold the lock of the demo of this home, which a killed process releases too.

    Raises:
        SystemExit: it runs already.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "demo.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"The demo of {home} runs already, at {running_demo(home)}")
        file.truncate(0)
        file.write(url)
        file.flush()
        yield


def stack_environment(home: Path, server: Server, aws_environment: dict[str, str]) -> dict[str, str]:
    """Return all variables of the local stack. The keys of a home are made once."""
    path = home / "secrets.json"
    if not path.is_file():
        fernet_key = Fernet.generate_key().decode()
        write_private(path, {"SECRET_KEY": secrets.token_urlsafe(60), "FIELD_ENCRYPTION_KEYS": fernet_key})
    return {
        **server.environment(),
        **aws_environment,
        **json.loads(path.read_text()),
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1],testserver",
        "SECURE_COOKIES": "false",
        "RECORDING_BUCKET": BUCKET,
        "RECORDING_CONFIG_ARN": "",
        "STAGE": "local",
        "CATALOGUE_PAGE": "true",
        "ANSWER_CACHE": "false",
        "THROTTLE_ADDRESS": "",
        "THROTTLE_GRANTS": "",
        "THROTTLE_TOKEN": "",
        "STATIC_ROOT": str(home / "static"),
        "EXTRA_APPS": "tools",
    }


def is_protected(home: Path, *, starts_demo: bool, runs_demo: bool) -> bool:
    """Return whether files need a signature: as PROTECTED says to the demo, which other commands follow.

    Raises:
        SystemExit: PROTECTED is neither 0 nor 1.
    """
    mark = home / "protected"
    if not starts_demo:
        return runs_demo and mark.exists()
    text = os.environ.get("PROTECTED") or "0"
    if text not in ("0", "1"):
        sys.exit("PROTECTED is not 0 or 1")
    mark.unlink(missing_ok=True)
    if text == "1":
        mark.touch()
    return text == "1"


def signing_environment(home: Path) -> dict[str, str]:
    """Return the variables that sign. The key of a home is made once."""
    path = home / "signing.json"
    if not path.is_file():
        # URLs are shorter by a third than with RSA.
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        write_private(path, {"CLOUDFRONT_KEY_ID": "KLOCALDEMO", "CLOUDFRONT_PRIVATE_KEY": pem})
    variables: dict[str, str] = json.loads(path.read_text())
    return variables


def trusted_keys(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the public key of the variables that sign, by its id; nothing if they are not set."""
    if not variables.get("CLOUDFRONT_KEY_ID"):
        return {}
    key = load_pem_private_key(variables["CLOUDFRONT_PRIVATE_KEY"].encode(), password=None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {variables["CLOUDFRONT_KEY_ID"]: public.decode()}


def write_private(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON file that only its owner can read, in one step."""
    write_private_text(path, json.dumps(document, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def recording_configuration(aws: LocalAws, bucket: str) -> str:
    """Return the ARN of the recording configuration of the bucket, which is made if it is missing."""
    for listed in aws.ivs.call("ListRecordingConfigurations")["recordingConfigurations"]:
        if listed["destinationConfiguration"]["s3"]["bucketName"] == bucket:
            return str(listed["arn"])
    made = aws.ivs.call(
        "CreateRecordingConfiguration",
        name="ivsvod",
        destinationConfiguration={"s3": {"bucketName": bucket}},
        thumbnailConfiguration={"recordingMode": "INTERVAL", "targetIntervalSeconds": 15},
        recordingReconnectWindowSeconds=5,
    )
    return str(made["recordingConfiguration"]["arn"])


def playback_key(aws: LocalAws, home: Path) -> dict[str, str]:
    """Return the variables of the key for playback tokens. It is made once in a home, and imported if IVS lacks it."""
    path = home / "playback-key.pem"
    if not path.is_file():
        write_private_text(path, new_private_key_pem())
    public_key = public_key_pem(path.read_text())
    arns = [listed["arn"] for listed in aws.ivs.call("ListPlaybackKeyPairs")["keyPairs"]]
    key_pairs = [aws.ivs.call("GetPlaybackKeyPair", arn=arn)["keyPair"] for arn in arns]
    fingerprint = fingerprint_of(public_key)
    arn = next((key_pair["arn"] for key_pair in key_pairs if key_pair["fingerprint"] == fingerprint), None)
    if arn is None:
        made = aws.ivs.call("ImportPlaybackKeyPair", name="ivsvod", publicKeyMaterial=public_key)
        arn = made["keyPair"]["arn"]
    return {"IVS_PLAYBACK_KEY_ARN": arn, "IVS_PLAYBACK_PRIVATE_KEY": f"file:{path}"}
