"""The host that people see, where CloudFront stands before the function; pure.

CloudFront sends the host of its origin, since API Gateway answers to no other. Who else came by that origin cannot name
the public host: the header with the secret is CloudFront's alone.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
"""

import hmac
from typing import Any

_SECRET_HEADER = "x-origin-secret"  # noqa: S105  (the name of a header)


def with_public_host(event: dict[str, Any], host: str, secrets: list[str]) -> dict[str, Any]:
    """The event of API Gateway or a Function URL as if it had come to the public host, where CloudFront sent it.

    While a secret is replaced CloudFront sends the old one and the new.
    The header with the secret is taken out in any case: nothing after this needs it.
    """
    headers = event.get("headers") or {}
    given = next((str(value) for name, value in headers.items() if name.lower() == _SECRET_HEADER), "")
    # Each is compared, so that the time tells nothing.
    equal = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    is_ours = bool(host) and any(equal)
    changed = {**event, "headers": _headers(headers, host if is_ours else "")}
    if event.get("multiValueHeaders"):
        changed["multiValueHeaders"] = _headers(event["multiValueHeaders"], [host] if is_ours else "")
    return changed


def _headers(headers: dict[str, Any], host: Any) -> dict[str, Any]:
    kept = {name: value for name, value in headers.items() if name.lower() != _SECRET_HEADER}
    return {name: host if host and name.lower() == "host" else value for name, value in kept.items()}
