"""Calls to Amazon IVS where nothing leaves the network: a function outside of it sends them.

IVS has no endpoint of PrivateLink for its API. The request is signed here and goes out as it is; who sends it can
change nothing in it and has no right of its own (deploy/forwarder.yaml).
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

import base64
import json
from typing import Any

from channels_app.aws.prepared import Body, body_of, headers_of


def forward(request: Any, **_: Any) -> Any:
    """A handler of botocore's `before-send`: the reply of IVS to a prepared request, by the function IVS_FORWARDER.

    Raises:
        botocore.exceptions.BotoCoreError: the function could not be called, or could not reach IVS.
        botocore.exceptions.ClientError: Lambda refused.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import EndpointConnectionError
    from django.conf import settings

    from channels_app.aws.clients import ONCE, client

    # botocore itself tries again what did not reach IVS.
    lambdas = client("lambda", ONCE)
    reply = lambdas.invoke(FunctionName=settings.IVS_FORWARDER, Payload=json.dumps(_told(request)).encode())
    answer = json.load(reply["Payload"])
    if "FunctionError" in reply:
        # What it says may quote the headers, a session token among them.
        raise EndpointConnectionError(endpoint_url=request.url, error=answer.get("errorType"))
    return AWSResponse(request.url, answer["status"], answer["headers"], Body(base64.b64decode(answer["body"])))


def _told(request: Any) -> dict[str, Any]:
    body = base64.b64encode(body_of(request)).decode()
    return {"url": request.url, "method": request.method, "headers": headers_of(request), "body": body}
