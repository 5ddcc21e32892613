"""The local S3, which is moto's with a copy on disk, and the media host in place of CloudFront.

moto holds objects in memory. Each change is written to disk before it is answered, and the first request of the next
process reads the disk, so that a demo keeps its recordings.
"""

import io
import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    key TEXT NOT NULL,
    bucket TEXT NOT NULL,
    body BLOB NOT NULL,
    headers TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    PRIMARY KEY (key, bucket)
);
"""
# How long a write waits for that of another process.
BUSY_SECONDS = 30

CORS_RULES = [{"AllowedMethod": ["GET", "HEAD"], "AllowedOrigin": ["*"], "AllowedHeader": ["*"]}]
_EXPOSED_HEADERS = ("Access-Control-Expose-Headers", "Content-Length, Content-Range")
CORS_HEADERS = [("Access-Control-Allow-Origin", "*"), _EXPOSED_HEADERS]


@dataclass(frozen=True)
class StoredObject:
    """An object of S3: its bytes, and its headers with names in lower case, user metadata included."""

    bucket: str
    key: str
    body: bytes
    headers: dict[str, str]
    etag: str
    last_modified: datetime


class Journal:
    """Buckets and objects on disk, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self.connect()) as connection:
            connection.executescript(SCHEMA)

    def execute(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Execute one statement in a transaction and return its rows."""
        with closing(self.connect()) as connection, connection:
            return connection.execute(query, values).fetchall()

    def connect(self) -> sqlite3.Connection:
        """Return a connection. A crash of the machine may lose the last changes; a killed process loses nothing."""
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def objects(self, key: str | None = None) -> list[StoredObject]:
        """Return all objects, or those with this key in any bucket."""
        columns = "SELECT bucket, key, body, headers, etag, last_modified FROM objects"
        by_key = f"{columns} WHERE key = ? ORDER BY bucket"
        rows = self.execute(columns) if key is None else self.execute(by_key, [key])
        return [
            StoredObject(bucket, name, body, json.loads(headers), etag, datetime.fromisoformat(last_modified))
            for bucket, name, body, headers, etag, last_modified in rows
        ]

    def write(self, stored: StoredObject) -> None:
        headers, last_modified = json.dumps(stored.headers), stored.last_modified.isoformat()
        values = [stored.key, stored.bucket, stored.body, headers, stored.etag, last_modified]
        self.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", values)


class S3App:
    """WSGI: moto's S3 API by path (`/bucket/key`), with every change written to `home/s3.sqlite3`.

    moto has one backend for a process, so one home is in memory at a time. A request to an S3App of another home
    replaces it, and parts of unfinished multipart uploads are lost. Access lists, policies, tags and versions do not
    survive a restart. Nothing is imported or read before the first request.
    """

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _home_in_memory: ClassVar[Path | None] = None
    _moto: ClassVar[Any] = None

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.journal = Journal(self.home / "s3.sqlite3")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # moto accepts every signature, and lets anonymous callers list and write. Public access to the recording bucket
        # is blocked, so without a signature AWS answers only the preflight.
        is_signed = "Signature=" in environ.get("QUERY_STRING", "") or "HTTP_AUTHORIZATION" in environ
        if not is_signed and environ["REQUEST_METHOD"] != "OPTIONS":
            return _access_denied()(environ, start_response)
        # The body is read before the lock: a slow upload delays no other request. moto expects the bucket in the path
        # whatever the host, and the encoded path in RAW_URI, without which it decodes keys twice.
        raw_path = quote(environ.get("PATH_INFO", ""), safe="/", encoding="latin-1")
        request = {
            **environ,
            "wsgi.input": io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))),
            "HTTP_HOST": "localhost",
            "RAW_URI": f"{raw_path}?{environ.get('QUERY_STRING', '')}",
        }
        with self._lock:
            self._bring_to_memory()
            return self._answer(request, start_response)

    def create_bucket(self, name: str, region: str = "us-east-1") -> None:
        """Make the bucket unless it exists, readable from any origin as the predecessor's is."""
        with self._lock:
            backend = self._bring_to_memory()
            if name not in backend.buckets:
                _create_in_moto(backend, name, region)
                self._write_to_disk(name, "")

    def reset(self) -> None:
        """Empty the memory, as a restart does; the next request reads the disk again."""
        with self._lock:
            _moto_backend().reset()
            S3App._home_in_memory = None

    def _bring_to_memory(self) -> Any:
        backend = _moto_backend()
        if S3App._home_in_memory == self.home:
            return backend
        self.reset()
        for name, region in self.journal.execute("SELECT name, region FROM buckets ORDER BY name"):
            _create_in_moto(backend, name, region)
        for stored in self.journal.objects():
            kept = backend.put_object(stored.bucket, stored.key, stored.body, etag=stored.etag.strip('"'))
            kept.set_metadata(stored.headers)
            kept.last_modified = stored.last_modified
        S3App._home_in_memory = self.home
        return backend

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        from moto.moto_server.werkzeug_app import create_backend_app

        if S3App._moto is None:
            S3App._moto = create_backend_app("s3")
            # "a//b" is another key than "a/b", to which werkzeug would redirect it.
            S3App._moto.url_map.merge_slashes = False
        body, status, headers = run_wsgi_app(S3App._moto, environ, buffered=True)
        if environ["REQUEST_METHOD"] in {"PUT", "POST", "DELETE"} and status.startswith("2"):
            bucket, _, key = _decoded_path(environ).partition("/")
            self._write_to_disk(bucket, key)
        start_response(status, list(headers))
        return body

    def _write_to_disk(self, bucket: str, key: str) -> None:
        """Bring one key on disk to its state in moto; without a key, the bucket and the removal of its keys."""
        buckets, execute = _moto_backend().buckets, self.journal.execute
        if bucket not in buckets:
            # It was empty, else S3 would not have deleted it.
            execute("DELETE FROM buckets WHERE name = ?", [bucket])
            return
        names = [key]
        if not key:
            execute("INSERT OR REPLACE INTO buckets VALUES (?, ?)", [bucket, buckets[bucket].region_name])
            names = [name for (name,) in execute("SELECT key FROM objects WHERE bucket = ?", [bucket])]
        for name in names:
            kept = _moto_backend().get_object(bucket, name)
            if kept is None:
                execute("DELETE FROM objects WHERE key = ? AND bucket = ?", [name, bucket])
            elif key:
                headers = {name.lower(): value for name, value in kept.metadata.items()}
                self.journal.write(StoredObject(bucket, key, kept.value, headers, kept.etag, kept.last_modified))

    def media(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """WSGI: the objects of all buckets by `/key`, as CloudFront with origin access control serves one bucket.

        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
        """
        method = environ["REQUEST_METHOD"]
        methods = "GET, HEAD, OPTIONS"
        if method == "OPTIONS":
            allowed = [("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", "Range")]
            return Response(status=204, headers=[*CORS_HEADERS, *allowed])(environ, start_response)
        if method not in {"GET", "HEAD"}:
            return Response(status=405, headers=[*CORS_HEADERS, ("Allow", methods)])(environ, start_response)
        stored = next(iter(self.journal.objects(_decoded_path(environ))), None)
        # S3 answers 403 for a missing key to callers without ListBucket, and CloudFront is one.
        if stored is None:
            return _access_denied()(environ, start_response)
        return _serve(stored, environ, start_response)


def _decoded_path(environ: "WSGIEnvironment") -> str:
    """Return the path without its first slash. WSGI passes its UTF-8 bytes as Latin-1 (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path.encode("latin-1").decode("utf-8", "replace").removeprefix("/")


def _moto_backend() -> Any:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def _create_in_moto(backend: Any, name: str, region: str) -> None:
    backend.create_bucket(name, region)
    backend.put_bucket_cors(name, CORS_RULES)


def _access_denied() -> Response:
    error = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return Response(document, 403, headers=CORS_HEADERS, content_type="application/xml")


def _serve(stored: StoredObject, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    content_type = stored.headers.get("content-type", "binary/octet-stream")
    response = Response(stored.body, content_type=content_type, headers=CORS_HEADERS)
    response.headers["ETag"] = stored.etag
    if cache_control := stored.headers.get("cache-control"):
        response.headers["Cache-Control"] = cache_control
    # A Range header that is malformed or has several ranges is ignored: S3 then sends the whole object.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    requested = parse_range_header(environ.get("HTTP_RANGE"))
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        environ = {name: value for name, value in environ.items() if name != "HTTP_RANGE"}
    try:
        response.make_conditional(environ, accept_ranges=True, complete_length=len(stored.body))
    except RequestedRangeNotSatisfiable as error:
        response = Response(status=416, headers=[*CORS_HEADERS, *error.get_headers(environ)])
    return response(environ, start_response)
