"""HTTP as API Gateway and Function URLs hand it to a function, before Zappa's handler takes it; pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Any

_SECRET_HEADER = "x-origin-secret"  # noqa: S105  (the name of a header)
_FIELDS = (
    "path",
    "rawPath",
    "rawQueryString",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "headers",
    "multiValueHeaders",
    "cookies",
    "body",
)


def is_http(event: Any) -> bool:
    """Whether an invocation is a request. What EventBridge delivers is an event, whatever else stands in it."""
    if not isinstance(event, dict) or "detail-type" in event or not isinstance(event.get("requestContext"), dict):
        return False
    return bool(event.get("httpMethod")) or event.get("version") == "2.0"


def is_readable(event: Mapping[str, Any]) -> bool:
    """Whether all that Zappa reads is of its type, and text that UTF-8 knows: of anything else it makes a 500."""
    path, body = event.get("rawPath" if event.get("version") == "2.0" else "path"), event.get("body")
    if not isinstance(path, str) or not isinstance(body, str | None) or not _are_headers(event):
        return False
    try:
        json.dumps([event.get(name) for name in _FIELDS], ensure_ascii=False).encode()
        if body and event.get("isBase64Encoded"):
            base64.b64decode(body)
    except (UnicodeEncodeError, binascii.Error, TypeError):
        return False
    return True


def _are_headers(event: Mapping[str, Any]) -> bool:
    headers, lists = event.get("headers") or {}, event.get("multiValueHeaders") or {}
    if not isinstance(headers, dict) or not isinstance(lists, dict):
        return False
    texts = [*headers.values(), *(value for values in lists.values() for value in values or [None])]
    return all(isinstance(text, str) for text in texts)


def cleaned(event: Mapping[str, Any], host: str, secrets: list[str]) -> dict[str, Any]:
    """The event without what nobody may say here, and as if it had come to the public host where CloudFront sent it.

    CloudFront sends the host of its origin, since API Gateway answers to no other; the header with the secret is
    CloudFront's alone, and while it is replaced there are two. Names with an underscore would be taken for those with a
    hyphen (X_Forwarded_For), and of stage variables Zappa makes environment variables of the process.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
    """
    lists = event.get("multiValueHeaders") or {}
    headers = event.get("headers") or {name: values[-1] for name, values in lists.items()}
    given = next((value for name, value in headers.items() if name.lower() == _SECRET_HEADER), "")
    # Each is compared, so that the time tells nothing.
    equal = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    is_ours = bool(host) and any(equal)
    changed = {**event, "headers": _headers(headers, host if is_ours else ""), "stageVariables": None}
    if lists:
        changed["multiValueHeaders"] = _headers(lists, [host] if is_ours else "")
    return changed


def _headers(headers: Mapping[str, Any], host: Any) -> dict[str, Any]:
    kept = {name: value for name, value in headers.items() if "_" not in name and name.lower() != _SECRET_HEADER}
    return {name: host if host and name.lower() == "host" else value for name, value in kept.items()}
