"""Values of settings that are references to a file or to a secret of AWS Secrets Manager.

The settings call this while they are loaded, so nothing here reads them.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
import re
from functools import cache
from pathlib import Path

from common.aws.clients import RETRIED, config_of
from common.aws.errors import raises_aws_error

_SECRET = re.compile(r"(arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[^#\s]+)(?:#(.+))?")


def secret_value(reference: str) -> str:
    """Return the value behind `file:/path` or the ARN of a secret; `#KEY` after an ARN is a member of its JSON object.

    Raises:
        AwsError: the secret could not be fetched, which is done once in a process.
        ValueError: no such file or member, or not a reference; the message has no secret.
    """
    if reference.startswith("file:"):
        path = reference.removeprefix("file:")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file {path} cannot be read: {type(error).__name__}") from None
    match = _SECRET.fullmatch(reference)
    if match is None:
        raise ValueError("neither file:/path nor the ARN of a secret of Secrets Manager, with #KEY after it or not")
    arn, region, key = match.groups()
    text = _secret_text(arn, region)
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, TypeError, KeyError):
        value = None
    if not isinstance(value, str):
        raise ValueError(f"the secret has no text under {key}")
    return value


def secrets_forget() -> None:
    """Forget the fetched secrets, because one was changed."""
    _secret_text.cache_clear()


@cache
def _secret_text(arn: str, region: str) -> str:
    import boto3

    with raises_aws_error("GetSecretValue", arn):
        made = boto3.session.Session().client("secretsmanager", region_name=region, config=config_of(RETRIED))
        return made.get_secret_value(SecretId=arn)["SecretString"]
