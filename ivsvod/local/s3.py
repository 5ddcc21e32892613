"""The local S3, which is moto's with a copy on disk, and the media host in place of CloudFront.

moto holds objects in memory. Each change is written to disk before it is answered, and the first request of the next
process reads the disk, so that a demo keeps its recordings.
"""

import io
import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# File systems end a name at 255 bytes; a key of 1024 bytes is up to 3072 when percent-encoded.
NAME_CHUNK = 200
DETAILS_SUFFIX = "=facts.json"
BUCKET_FILE = "=bucket.json"

CORS_RULES = [{"AllowedMethod": ["GET", "HEAD"], "AllowedOrigin": ["*"], "AllowedHeader": ["*"]}]
_EXPOSED_HEADERS = ("Access-Control-Expose-Headers", "Content-Length, Content-Range")
CORS_HEADERS = [("Access-Control-Allow-Origin", "*"), _EXPOSED_HEADERS]


@dataclass(frozen=True)
class StoredObject:
    """An object of S3: its bytes, and its headers with names in lower case, user metadata included."""

    body: bytes
    headers: dict[str, str]
    etag: str
    last_modified: datetime

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "binary/octet-stream")


class Journal:
    """The objects on disk: `<bucket>/<percent-encoded key>`, and beside each a JSON file with its details."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def buckets(self) -> Iterator[tuple[str, str]]:
        """Yield name and region of each bucket."""
        for path in sorted(self.root.glob(f"*/{BUCKET_FILE}")):
            details = json.loads(path.read_text())
            yield details["name"], details["region"]

    def write_bucket(self, name: str, region: str) -> None:
        _replace(self._folder(name) / BUCKET_FILE, json.dumps({"name": name, "region": region}).encode())

    def remove_bucket(self, name: str) -> None:
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def objects(self, bucket: str) -> Iterator[tuple[str, StoredObject]]:
        """Yield key and object of the bucket."""
        for details_path in sorted(self._folder(bucket).rglob(f"*{DETAILS_SUFFIX}")):
            details = json.loads(details_path.read_text())
            key, headers, etag = details["key"], details["headers"], details["etag"]
            last_modified = datetime.fromisoformat(details["last_modified"])
            yield key, StoredObject(self._path(bucket, key).read_bytes(), headers, etag, last_modified)

    def write(self, bucket: str, key: str, stored: StoredObject) -> None:
        last_modified = stored.last_modified.isoformat()
        details = {"key": key, "headers": stored.headers, "etag": stored.etag, "last_modified": last_modified}
        path = self._path(bucket, key)
        _replace(path, stored.body)
        # An object exists if its details do, so they are written last and removed first.
        _replace(_details_path(path), json.dumps(details).encode())

    def remove(self, bucket: str, key: str) -> None:
        path = self._path(bucket, key)
        _details_path(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def remove_all_but(self, bucket: str, keys: Iterable[str]) -> None:
        kept = {_details_path(self._path(bucket, key)) for key in keys}
        for details_path in set(self._folder(bucket).rglob(f"*{DETAILS_SUFFIX}")) - kept:
            details_path.unlink()
            details_path.with_name(details_path.name.removesuffix(DETAILS_SUFFIX)).unlink(missing_ok=True)

    def _folder(self, bucket: str) -> Path:
        return self.root / _file_name(quote(bucket, safe=""))

    def _path(self, bucket: str, key: str) -> Path:
        encoded = quote(key, safe="")
        chunks = [encoded[start : start + NAME_CHUNK] for start in range(0, len(encoded), NAME_CHUNK)]
        # "+" is always percent-encoded in a key, so no folder has the name of an object.
        return self._folder(bucket).joinpath(
            *(_file_name(chunk) + "+" for chunk in chunks[:-1]), _file_name(chunks[-1])
        )


class S3App:
    """WSGI: moto's S3 API by path (`/bucket/key`), with every change written to `home/s3`.

    moto has one backend for a process, so one home is in memory at a time. A request to an S3App of another home
    replaces it, and parts of unfinished multipart uploads are lost. Access lists, policies, tags and versions do not
    survive a restart. Nothing is imported or read before the first request.
    """

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _home_in_memory: ClassVar[Path | None] = None
    _moto: ClassVar[Any] = None

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.journal = Journal(self.home / "s3")

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
                self.journal.write_bucket(name, region)

    def buckets(self) -> list[str]:
        with self._lock:
            return sorted(self._bring_to_memory().buckets)

    def find(self, bucket: str, key: str) -> StoredObject | None:
        """Return the object without asking for a signature; None without such a bucket or key."""
        with self._lock:
            backend = self._bring_to_memory()
            return _stored_object(backend, bucket, key) if key and bucket in backend.buckets else None

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
        for name, region in self.journal.buckets():
            _create_in_moto(backend, name, region)
            for key, stored in self.journal.objects(name):
                kept = backend.put_object(name, key, stored.body, etag=stored.etag.strip('"'))
                kept.set_metadata(dict(stored.headers))
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
        backend = _moto_backend()
        if bucket not in backend.buckets:
            self.journal.remove_bucket(bucket)
        elif not key:
            self.journal.write_bucket(bucket, backend.buckets[bucket].region_name)
            kept = [key for key in backend.buckets[bucket].keys if backend.get_object(bucket, key) is not None]
            self.journal.remove_all_but(bucket, kept)
        elif (stored := _stored_object(backend, bucket, key)) is None:
            self.journal.remove(bucket, key)
        else:
            self.journal.write(bucket, key, stored)


class MediaApp:
    """WSGI: the objects of all buckets by `/key`, as CloudFront with origin access control serves one bucket.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """

    def __init__(self, s3: S3App) -> None:
        self.s3 = s3

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        methods = "GET, HEAD, OPTIONS"
        if method == "OPTIONS":
            allowed = [("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", "Range")]
            return Response(status=204, headers=[*CORS_HEADERS, *allowed])(environ, start_response)
        if method not in {"GET", "HEAD"}:
            return Response(status=405, headers=[*CORS_HEADERS, ("Allow", methods)])(environ, start_response)
        found = (self.s3.find(bucket, _decoded_path(environ)) for bucket in self.s3.buckets())
        stored = next(filter(None, found), None)
        # S3 answers 403 for a missing key to callers without ListBucket, and CloudFront is one.
        if stored is None:
            return _access_denied()(environ, start_response)
        return _serve(stored, environ, start_response)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may write the same key now.
    new = path.with_name(f"{path.name}={token_hex(8)}=new")
    new.write_bytes(content)
    new.replace(path)


def _details_path(path: Path) -> Path:
    return path.with_name(path.name + DETAILS_SUFFIX)


def _file_name(chunk: str) -> str:
    """Return a part of an encoded name without a leading dot, which would hide the file or name the parent folder."""
    return f"%2E{chunk[1:]}" if chunk.startswith(".") else chunk


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


def _stored_object(backend: Any, bucket: str, key: str) -> StoredObject | None:
    kept = backend.get_object(bucket, key)
    if kept is None:
        return None
    headers = {name.lower(): value for name, value in kept.metadata.items()}
    return StoredObject(kept.value, headers, kept.etag, kept.last_modified)


def _access_denied() -> Response:
    error = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return Response(document, 403, headers=CORS_HEADERS, content_type="application/xml")


def _serve(stored: StoredObject, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    response = Response(stored.body, content_type=stored.content_type, headers=CORS_HEADERS)
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
