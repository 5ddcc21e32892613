"""Requests as API Gateway and Function URLs hand them to a function."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest


def rest_v1(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"""
    headers = {
        "Host": "testserver",
        "X-Forwarded-For": "203.0.113.7, 10.0.0.1",
        "X-Forwarded-Proto": "https",
        **headers,
    }
    path, _, query = path.partition("?")
    parameters = dict(parse_qsl(query)) or None
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": parameters and {name: [value] for name, value in parameters.items()},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": "dev", "path": f"/dev{path}", "identity": {"sourceIp": "203.0.113.7"}},
        "body": body,
        "isBase64Encoded": False,
    }


def http_v2(
    method: str, path: str, body: str | None = None, *, stage: str = "$default", **headers: str
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "testserver", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7", **headers},
        "requestContext": {
            "stage": stage,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def function_url(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""
    event = http_v2(method, path, body and base64.b64encode(body.encode()).decode(), **headers)
    return {**event, "isBase64Encoded": body is not None}


Http = Callable[..., dict[str, Any]]
EACH_KIND = pytest.mark.parametrize("http", [rest_v1, http_v2, function_url])


def body_of(answer: dict[str, Any]) -> Any:
    text = answer["body"]
    return json.loads(base64.b64decode(text) if answer.get("isBase64Encoded") else text)
