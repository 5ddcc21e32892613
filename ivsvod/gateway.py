"""HTTP invocations of API Gateway and Function URLs, checked and cleaned for Zappa's handler; pure functions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

_SECRET_HEADER = "x-origin-secret"  # noqa: S105  (the name of a header)


def is_http(event: Any) -> bool:
    """Return whether an invocation is an HTTP request. With a `detail-type` it is an event of EventBridge."""
    if not isinstance(event, dict) or "detail-type" in event or not isinstance(event.get("requestContext"), dict):
        return False
    return bool(event.get("httpMethod")) or event.get("version") == "2.0"


def method_and_path(event: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the method and the path of a request, by the version of its payload."""
    if event.get("version") == "2.0":
        http = event["requestContext"].get("http")
        return (http.get("method") if isinstance(http, dict) else None), event.get("rawPath")
    return event.get("httpMethod"), event.get("path")


def is_readable(event: Mapping[str, Any]) -> bool:
    """Return whether all members that Zappa reads have their type and are UTF-8: Zappa answers others with 500."""
    body, cookies = event.get("body") or "", event.get("cookies") or []
    texts = [*method_and_path(event), body, event.get("rawQueryString") or ""]
    maps = [event.get("headers"), event.get("queryStringParameters")]
    lists = [event.get("multiValueHeaders"), event.get("multiValueQueryStringParameters")]
    context = event["requestContext"]
    is_typed = (
        _are_texts(texts)
        and _are_texts(cookies)
        and all(value is None or (isinstance(value, dict) and _are_texts([*value.values()])) for value in maps)
        and all(map(_is_map_of_lists, lists))
        and all(isinstance(context.get(name) or {}, dict) for name in ("authorizer", "identity"))
    )
    authorizer = context.get("authorizer") or {}
    if not is_typed or not all(isinstance(authorizer.get(name) or {}, dict) for name in ("lambda", "iam")):
        return False
    try:
        json.dumps([texts, cookies, maps, lists], ensure_ascii=False).encode()
        if event.get("isBase64Encoded"):
            base64.b64decode(body)
    except ValueError:
        return False
    return True


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_map_of_lists(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(item and _are_texts(item) for item in value.values()))


def cleaned(event: Mapping[str, Any], host: str, secrets: list[str]) -> dict[str, Any]:
    """Return the event without headers that no client may send, and with the public host if CloudFront sent it.

    CloudFront sends the host of its origin, since API Gateway answers to no other. Only CloudFront has the secret of
    the header; during a rotation there are two. WSGI does not distinguish a name with an underscore (X_Forwarded_For)
    from one with a hyphen. Zappa would turn stage variables into environment variables of the process.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
    """
    lists = event.get("multiValueHeaders") or {}
    headers = event.get("headers") or {name: values[-1] for name, values in lists.items()}
    given = next((value for name, value in headers.items() if name.lower() == _SECRET_HEADER), "")
    # All are compared, so that the duration reveals nothing.
    equal = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    is_ours = bool(host) and any(equal)
    changed = {**event, "headers": _headers(headers, host if is_ours else ""), "stageVariables": None}
    if lists:
        changed["multiValueHeaders"] = _headers(lists, [host] if is_ours else "")
    return changed


def _headers(headers: Mapping[str, Any], host: Any) -> dict[str, Any]:
    kept = {name: value for name, value in headers.items() if "_" not in name and name.lower() != _SECRET_HEADER}
    return {name: host if host and name.lower() == "host" else value for name, value in kept.items()}
