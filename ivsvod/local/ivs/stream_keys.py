"""Stream keys: at most one a channel, so a new one needs the old one deleted first.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamKey.html
"""

from ivsvod.local.ivs.calls import Call, batch_get, page, without
from ivsvod.local.ivs.errors import quota_exceeded
from ivsvod.local.ivs.records import Document, Placed, random_id
from ivsvod.local.ivs.tagging import accepted_tags

STREAM_KEY = "stream-key"


def new_stream_key(call: Call, channel_arn: str, tags: dict[str, str]) -> Document:
    records, limit = call.records, call.quotas.stream_keys_per_channel
    if len(records.select(STREAM_KEY, member="channelArn", value=channel_arn)) >= limit:
        raise quota_exceeded(f"stream key for channel {channel_arn}", limit)
    value = f"sk_{records.region}_{random_id(12)}_{random_id(30)}"
    key = {"arn": records.new_arn(STREAM_KEY), "value": value, "channelArn": channel_arn, "tags": tags}
    records.insert(STREAM_KEY, key)
    return key


def create_stream_key(call: Call) -> Document:
    channel = call.records.get("channel", call["channelArn"])
    return {"streamKey": new_stream_key(call, channel["arn"], accepted_tags(call))}


def get_stream_key(call: Call) -> Document:
    return {"streamKey": call.records.get(STREAM_KEY, call["arn"])}


def batch_get_stream_key(call: Call) -> Document:
    return batch_get(call, STREAM_KEY, "streamKeys")


def list_stream_keys(call: Call) -> Document:
    """Without their values, and one a page unless asked for more."""
    call.records.get("channel", call["channelArn"])

    def select(after: int, limit: int) -> list[Placed]:
        keys = call.records.select(STREAM_KEY, member="channelArn", value=call["channelArn"], after=after, limit=limit)
        return [(place, without(key, "value")) for place, key in keys]

    return page(call, "streamKeys", select, default_size=1)


def delete_stream_key(call: Call) -> None:
    call.records.delete(call.records.get(STREAM_KEY, call["arn"])["arn"])
