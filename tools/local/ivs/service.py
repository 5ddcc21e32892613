"""Amazon IVS as a WSGI callable, which boto3 reaches by AWS_ENDPOINT_URL_IVS."""

import json
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from botocore import xform_name

from tools.local.ivs import channels, playback, streams
from tools.local.ivs.calls import Call, Operation
from tools.local.ivs.errors import Fault, IvsError, take_fault
from tools.local.ivs.model import check_reply, find_operation, read_arguments, service_model, status_of
from tools.local.ivs.store import Document, IvsStore

# The function of each operation: CreateChannel is `create_channel`.
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html
OPERATIONS: dict[str, Operation] = {
    name: getattr(module, xform_name(name))
    for module in (channels, playback, streams)
    for name in service_model().operation_names
    if hasattr(module, xform_name(name))
}
# Set by a caller in the same process, which turns Python's exceptions into botocore's.
IN_PROCESS = "ivsvod.in_process"
READ_ONLY = ("Get", "List", "BatchGet")
MAXIMUM_BODY_BYTES = 1_000_000


class IvsService:
    """The low-latency API 2020-07-14 over a store; each of the ``faults`` is used up by the calls that it fails.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/Welcome.html
    """

    hang_seconds = 12.0

    def __init__(self, store: IvsStore) -> None:
        self.store = store
        self.faults: list[Fault] = []
        # https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
        self.quotas = {channels.CHANNEL: 5000, channels.RECORDING_CONFIGURATION: 20, playback.KEY_PAIR: 3}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            status, body = self._reply(environ)
            headers = {}
        except IvsError as error:
            # botocore reads the code from the header and the text from "message"; AWS's own member is the other one.
            document = {"exceptionMessage": error.message, "message": error.message}
            status, body = status_of(error.code), json.dumps(document).encode()
            headers = {"x-amzn-ErrorType": error.code}
        headers |= {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
        if status != 204:
            headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    def _reply(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        # As AWS does; it also keeps other web pages away, because a browser sends no such header unasked.
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4-HMAC-SHA256 "):
            raise IvsError("MissingAuthenticationTokenException", "Missing Authentication Token")
        model, in_path = find_operation(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAXIMUM_BODY_BYTES:
            raise IvsError("SerializationException", "The body is too long")
        body: bytes = environ["wsgi.input"].read(length)
        if model.name not in OPERATIONS:
            raise IvsError("AccessDeniedException", f"The local IVS does not have the operation {model.name}")
        arguments = read_arguments(model, in_path, environ.get("QUERY_STRING", ""), body)
        reply = self._with_faults(model, arguments, in_process=IN_PROCESS in environ)
        status = int(model.http["responseCode"])
        return status, b"" if status == 204 else json.dumps(reply).encode()

    def _with_faults(self, model: Any, arguments: Document, *, in_process: bool) -> Document | None:
        fault = take_fault(self.faults, model.name)
        if fault is None:
            return self._perform(model, arguments)
        if fault.kind == "throttle":
            raise IvsError("ThrottlingException", f"Rate exceeded for {model.name}")
        if fault.kind == "error500":
            raise IvsError("InternalServerException", f"{model.name} failed")
        if fault.kind == "drop_reply" or fault.done:
            # An error is an answer too, and is lost like any other.
            with suppress(IvsError):
                self._perform(model, arguments)
        if fault.kind == "drop_reply":
            raise ConnectionResetError(f"The reply of {model.name} was dropped")
        if in_process:
            raise TimeoutError(f"{model.name} never answered")
        time.sleep(self.hang_seconds)
        raise ConnectionResetError(f"{model.name} never answered")

    def call(self, operation: str, **arguments: Any) -> Document:
        """Perform an operation in this process, without HTTP, and return its reply."""
        return self._perform(service_model().operation_model(operation), arguments) or {}

    def _perform(self, model: Any, arguments: Document) -> Document | None:
        with self.store.transaction(write=not model.name.startswith(READ_ONLY)) as records:
            reply = OPERATIONS[model.name](Call(model.name, arguments, records, self.quotas))
            check_reply(reply, model.output_shape)
        return reply
