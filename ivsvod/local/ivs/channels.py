"""Channels.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Channel.html
"""

import secrets
from typing import Any

from ivsvod.local.ivs.calls import Call, batch_get, page, without
from ivsvod.local.ivs.errors import conflict, invalid, quota_exceeded
from ivsvod.local.ivs.records import Document, Placed, Records, random_id
from ivsvod.local.ivs.stream_keys import new_stream_key
from ivsvod.local.ivs.tagging import accepted_tags

CHANNEL = "channel"
ADVANCED_TYPES = ("ADVANCED_SD", "ADVANCED_HD")
DEFAULTS: Document = {
    "name": "",
    "latencyMode": "LOW",
    "type": "STANDARD",
    "recordingConfigurationArn": "",
    "authorized": False,
    "insecureIngest": False,
    "preset": "",
    "playbackRestrictionPolicyArn": "",
    "containerFormat": "TS",
    "adConfigurationArn": "",
    "failoverSlateConfigurationArn": "",
}
# Members that hold the ARN of something else; "" detaches it.
REFERENCES = {
    "recordingConfigurationArn": "recording-configuration",
    "playbackRestrictionPolicyArn": "playback-restriction-policy",
    "adConfigurationArn": "ad-configuration",
    "failoverSlateConfigurationArn": "failover-slate-configuration",
}
FILTERS = {
    "filterByName": "name",
    "filterByRecordingConfigurationArn": "recordingConfigurationArn",
    "filterByPlaybackRestrictionPolicyArn": "playbackRestrictionPolicyArn",
    "filterByAdConfigurationArn": "adConfigurationArn",
    "filterByFailoverSlateConfigurationArn": "failoverSlateConfigurationArn",
}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ChannelSummary.html
NOT_IN_SUMMARY = ("ingestEndpoint", "playbackUrl", "srt", "containerFormat", "multitrackInputConfiguration")


def create_channel(call: Call) -> Document:
    """A channel and its stream key; the only reply beside the key's own calls that shows the key's value."""
    if call.records.count(CHANNEL) >= call.quotas.channels:
        raise quota_exceeded("channels", call.quotas.channels)
    tags = accepted_tags(call)
    channel = {**DEFAULTS, **_addresses(call.records), "tags": tags}
    channel = _with_settings(call, channel)
    call.records.insert(CHANNEL, channel)
    return {"channel": channel, "streamKey": new_stream_key(call, channel["arn"], tags)}


def _addresses(records: Records) -> Document:
    """ARN and hosts, in the form that IVS gives them."""
    arn = records.new_arn(CHANNEL)
    host = secrets.token_hex(6)
    name = f"{records.region}.{records.account}.channel.{arn.rpartition('/')[2]}"
    return {
        "arn": arn,
        "ingestEndpoint": f"{host}.global-contribute.live-video.net",
        "playbackUrl": f"https://{host}.{records.region}.playback.live-video.net/api/video/v1/{name}.m3u8",
        "srt": {"endpoint": f"{host}.srt.live-video.net", "passphrase": random_id(52)},
    }


def update_channel(call: Call) -> Document:
    """Change what is given; a live channel cannot be changed.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateChannel.html
    """
    channel = _offline_channel(call)
    channel = _with_settings(call, channel)
    call.records.replace(channel)
    return {"channel": channel}


def _offline_channel(call: Call) -> Document:
    channel = call.records.get(CHANNEL, call["arn"])
    if call.records.live_session(call["arn"]):
        raise conflict(f"The channel is live: {call['arn']}")
    return channel


def _with_settings(call: Call, channel: Document) -> Document:
    settings = {name: value for name, value in call.arguments.items() if name not in ("arn", "tags")}
    for name, kind in REFERENCES.items():
        if settings.get(name):
            call.records.get(kind, settings[name])
    changed = {**channel, **settings}
    _check_multitrack(changed)
    return {**changed, "preset": _preset(call, changed)}


def _preset(call: Call, channel: Document) -> str:
    """Presets are for the advanced types; all others show ""."""
    if channel["type"] in ADVANCED_TYPES:
        return channel["preset"] or "HIGHER_BANDWIDTH_DELIVERY"
    if call.get("preset"):
        raise invalid(f"A preset needs one of the channel types {', '.join(ADVANCED_TYPES)}")
    return ""


def _check_multitrack(channel: Document) -> None:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_MultitrackInputConfiguration.html"""
    multitrack: Document = channel.get("multitrackInputConfiguration", {})
    if not multitrack.get("enabled"):
        return
    if channel["type"] != "STANDARD" or channel["containerFormat"] != "FRAGMENTED_MP4":
        raise invalid("Multitrack input needs type STANDARD and containerFormat FRAGMENTED_MP4")
    if "policy" not in multitrack or "maximumResolution" not in multitrack:
        raise invalid("Multitrack input needs a policy and a maximumResolution")


def get_channel(call: Call) -> Document:
    return {"channel": call.records.get(CHANNEL, call["arn"])}


def batch_get_channel(call: Call) -> Document:
    return batch_get(call, CHANNEL, "channels")


def list_channels(call: Call) -> Document:
    """Summaries in order of creation, narrowed by at most one filter."""
    given = [name for name in FILTERS if name in call.arguments]
    if len(given) > 1:
        raise conflict(f"Only one filter at a time: {', '.join(given)}")
    narrow: dict[str, Any] = {"member": FILTERS[given[0]], "value": call[given[0]]} if given else {}

    def select(after: int, limit: int) -> list[Placed]:
        channels = call.records.select(CHANNEL, after=after, limit=limit, **narrow)
        return [(place, without(channel, *NOT_IN_SUMMARY)) for place, channel in channels]

    return page(call, "channels", select)


def delete_channel(call: Call) -> None:
    """The channel and its keys; its stream sessions stay."""
    channel = _offline_channel(call)
    for _, key in call.records.select("stream-key", member="channelArn", value=channel["arn"]):
        call.records.delete(key["arn"])
    call.records.delete(channel["arn"])
