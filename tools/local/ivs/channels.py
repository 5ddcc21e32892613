"""Channels, their stream keys and recording configurations, and the tags of all resources.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Channel.html
https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamKey.html
https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfiguration.html
https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_TagResource.html
"""

import secrets

from tools.local.ivs.calls import Call, page, without
from tools.local.ivs.errors import conflict, invalid, not_found, quota_exceeded
from tools.local.ivs.store import ACCOUNT, REGION, Document, random_id

CHANNEL = "channel"
STREAM_KEY = "stream-key"
MAXIMUM_TAGS = 50
ADVANCED_TYPES = ("ADVANCED_SD", "ADVANCED_HD")
# Members that hold the ARN of another resource; "" detaches it.
REFERENCES = {
    "recordingConfigurationArn": "recording-configuration",
    "playbackRestrictionPolicyArn": "playback-restriction-policy",
    "adConfigurationArn": "ad-configuration",
    "failoverSlateConfigurationArn": "failover-slate-configuration",
}
DEFAULTS: Document = {
    "name": "",
    "latencyMode": "LOW",
    "type": "STANDARD",
    "authorized": False,
    "insecureIngest": False,
    "preset": "",
    "containerFormat": "TS",
    **dict.fromkeys(REFERENCES, ""),
}
FILTERS = {f"filterBy{member[0].upper()}{member[1:]}": member for member in ("name", *REFERENCES)}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ChannelSummary.html
NOT_IN_SUMMARY = ("ingestEndpoint", "playbackUrl", "srt", "containerFormat", "multitrackInputConfiguration")
RECORDING_CONFIGURATION = "recording-configuration"
THUMBNAILS: Document = {"recordingMode": "INTERVAL", "targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"]}
RENDITIONS: Document = {"renditionSelection": "ALL", "renditions": []}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfigurationSummary.html
CONFIGURATION_DETAILS = ("thumbnailConfiguration", "recordingReconnectWindowSeconds", "renditionConfiguration")


def create_channel(call: Call) -> Document:
    """Create a channel and its stream key, whose value no other call on channels shows."""
    arn, host = call.records.new_arn(CHANNEL), secrets.token_hex(6)
    playlist = f"{REGION}.{ACCOUNT}.channel.{arn.rpartition('/')[2]}.m3u8"
    served = call.records.playback_base_url() or f"https://{host}.{REGION}.playback.live-video.net/api/video/v1"
    addresses = {
        "arn": arn,
        "ingestEndpoint": f"{host}.global-contribute.live-video.net",
        "playbackUrl": f"{served}/{playlist}",
        "srt": {"endpoint": f"{host}.srt.live-video.net", "passphrase": random_id(52)},
    }
    channel = _with_settings(call, {**DEFAULTS, **addresses, "tags": call.tags()})
    call.insert(CHANNEL, channel)
    return {"channel": channel, "streamKey": _new_stream_key(call, arn)}


def update_channel(call: Call) -> Document:
    """Change the given settings; refused while the channel is live.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdateChannel.html
    """
    channel = _with_settings(call, _offline_channel(call))
    call.records.replace(channel)
    return {"channel": channel}


def _offline_channel(call: Call) -> Document:
    channel = call.records.get(CHANNEL, call["arn"])
    if call.records.live_session(call["arn"]):
        raise conflict(f"The channel is live: {call['arn']}")
    return channel


def _with_settings(call: Call, channel: Document) -> Document:
    settings = without(call.arguments, "arn", "tags")
    for name, kind in REFERENCES.items():
        if settings.get(name):
            call.records.get(kind, settings[name])
    changed = {**channel, **settings}
    if changed["type"] in ADVANCED_TYPES:
        return {**changed, "preset": changed["preset"] or "HIGHER_BANDWIDTH_DELIVERY"}
    if call.get("preset"):
        raise invalid(f"A preset needs one of the channel types {', '.join(ADVANCED_TYPES)}")
    return {**changed, "preset": ""}


def get_channel(call: Call) -> Document:
    return {"channel": call.records.get(CHANNEL, call["arn"])}


def batch_get_channel(call: Call) -> Document:
    """Return the channels that exist, and an error for each other ARN; 200 either way."""
    found = {arn: call.records.find(CHANNEL, arn) for arn in call["arns"]}
    missing = [(arn, not_found(arn)) for arn, channel in found.items() if channel is None]
    errors = [{"arn": arn, "code": error.code, "message": error.message} for arn, error in missing]
    return {"channels": [channel for channel in found.values() if channel is not None], "errors": errors}


def list_channels(call: Call) -> Document:
    """Return summaries in order of creation, narrowed by at most one filter."""
    given = [name for name in FILTERS if name in call.arguments]
    if len(given) > 1:
        raise conflict(f"Only one filter at a time: {', '.join(given)}")
    member, value = (FILTERS[given[0]], call[given[0]]) if given else (None, None)
    channels = call.records.select(CHANNEL, member, value)
    return page(call, "channels", channels, lambda channel: without(channel, *NOT_IN_SUMMARY))


def delete_channel(call: Call) -> None:
    """Delete the channel and its keys; its stream sessions stay."""
    channel = _offline_channel(call)
    for _, key in call.records.select(STREAM_KEY, "channelArn", channel["arn"]):
        call.records.delete(key["arn"])
    call.records.delete(channel["arn"])


def _new_stream_key(call: Call, channel_arn: str) -> Document:
    records = call.records
    if records.select(STREAM_KEY, "channelArn", channel_arn):
        raise quota_exceeded(f"stream key for channel {channel_arn}", 1)
    value = f"sk_{REGION}_{random_id(12)}_{random_id(30)}"
    key = {"arn": records.new_arn(STREAM_KEY), "value": value, "channelArn": channel_arn, "tags": call.tags()}
    records.insert(STREAM_KEY, key)
    return key


def create_stream_key(call: Call) -> Document:
    channel = call.records.get(CHANNEL, call["channelArn"])
    return {"streamKey": _new_stream_key(call, channel["arn"])}


def get_stream_key(call: Call) -> Document:
    return {"streamKey": call.records.get(STREAM_KEY, call["arn"])}


def list_stream_keys(call: Call) -> Document:
    """Return the keys without their values, by default one a page."""
    channel = call.records.get(CHANNEL, call["channelArn"])
    keys = call.records.select(STREAM_KEY, "channelArn", channel["arn"])
    return page(call, "streamKeys", keys, lambda key: without(key, "value"), default_size=1)


def delete_stream_key(call: Call) -> None:
    call.records.delete(call.records.get(STREAM_KEY, call["arn"])["arn"])


def create_recording_configuration(call: Call) -> Document:
    """Create one that is ACTIVE at once; in AWS it takes up to 20 seconds."""
    if "s3" not in call["destinationConfiguration"]:
        raise invalid("destinationConfiguration needs an s3 destination")
    # https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RenditionConfiguration.html
    renditions = {**RENDITIONS, **call.get("renditionConfiguration", {})}
    if renditions["renditionSelection"] == "CUSTOM" and not renditions["renditions"]:
        raise invalid("renditionSelection CUSTOM needs renditions")
    configuration = {
        "arn": call.records.new_arn(RECORDING_CONFIGURATION),
        "name": call.get("name", ""),
        "destinationConfiguration": call["destinationConfiguration"],
        "state": "ACTIVE",
        "tags": call.tags(),
        "thumbnailConfiguration": {**THUMBNAILS, **call.get("thumbnailConfiguration", {})},
        "recordingReconnectWindowSeconds": call.get("recordingReconnectWindowSeconds", 0),
        "renditionConfiguration": renditions,
    }
    call.insert(RECORDING_CONFIGURATION, configuration)
    return {"recordingConfiguration": configuration}


def get_recording_configuration(call: Call) -> Document:
    return {"recordingConfiguration": call.records.get(RECORDING_CONFIGURATION, call["arn"])}


def list_recording_configurations(call: Call) -> Document:
    configurations = call.records.select(RECORDING_CONFIGURATION)
    return page(call, "recordingConfigurations", configurations, lambda found: without(found, *CONFIGURATION_DETAILS))


def delete_recording_configuration(call: Call) -> None:
    """Delete it; refused while a channel uses it."""
    arn = call.records.get(RECORDING_CONFIGURATION, call["arn"])["arn"]
    if call.records.select(CHANNEL, "recordingConfigurationArn", arn):
        raise conflict(f"Channels use the recording configuration: {arn}")
    call.records.delete(arn)


def _tagged_resource(call: Call) -> Document:
    arn: str = call["resourceArn"]
    return call.records.get(arn.split(":")[5].split("/")[0], arn)


def tag_resource(call: Call) -> Document:
    document = _tagged_resource(call)
    document["tags"] = {**document["tags"], **call.tags()}
    if len(document["tags"]) > MAXIMUM_TAGS:
        raise invalid(f"A resource has at most {MAXIMUM_TAGS} tags")
    call.records.replace(document)
    return {}


def untag_resource(call: Call) -> Document:
    document = _tagged_resource(call)
    document["tags"] = without(document["tags"], *call["tagKeys"])
    call.records.replace(document)
    return {}


def list_tags_for_resource(call: Call) -> Document:
    return {"tags": _tagged_resource(call)["tags"]}
