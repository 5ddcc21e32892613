"""Tags: on everything that has an ARN.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_TagResource.html
"""

from ivsvod.local.ivs.calls import Call
from ivsvod.local.ivs.errors import invalid
from ivsvod.local.ivs.records import Document

MAXIMUM_TAGS = 50


def accepted_tags(call: Call) -> dict[str, str]:
    """The tags of a request; AWS keeps keys that begin with ``aws:`` for itself."""
    tags: dict[str, str] = call.get("tags", {})
    reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
    if reserved is not None:
        raise invalid(f"Tag keys may not begin with aws: {reserved}")
    return tags


def _tagged_resource(call: Call) -> Document:
    arn: str = call["resourceArn"]
    return call.records.get(arn.split(":")[5].split("/")[0], arn)


def tag_resource(call: Call) -> Document:
    document = _tagged_resource(call)
    document["tags"] = {**document["tags"], **accepted_tags(call)}
    if len(document["tags"]) > MAXIMUM_TAGS:
        raise invalid(f"A resource has at most {MAXIMUM_TAGS} tags")
    call.records.replace(document)
    return {}


def untag_resource(call: Call) -> Document:
    document = _tagged_resource(call)
    document["tags"] = {key: value for key, value in document["tags"].items() if key not in call["tagKeys"]}
    call.records.replace(document)
    return {}


def list_tags_for_resource(call: Call) -> Document:
    return {"tags": _tagged_resource(call)["tags"]}
