"""Recording configurations: where a channel's streams are recorded to. They cannot be changed.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfiguration.html
"""

from ivsvod.local.ivs.calls import Call, page, without
from ivsvod.local.ivs.errors import conflict, invalid, quota_exceeded
from ivsvod.local.ivs.records import Document, Placed
from ivsvod.local.ivs.tagging import accepted_tags

RECORDING_CONFIGURATION = "recording-configuration"
THUMBNAILS: Document = {"recordingMode": "INTERVAL", "targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"]}
RENDITIONS: Document = {"renditionSelection": "ALL", "renditions": []}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfigurationSummary.html
NOT_IN_SUMMARY = ("thumbnailConfiguration", "recordingReconnectWindowSeconds", "renditionConfiguration")


def create_recording_configuration(call: Call) -> Document:
    """ACTIVE at once, where IVS takes up to 20 seconds."""
    if "s3" not in call["destinationConfiguration"]:
        raise invalid("destinationConfiguration needs an s3 destination")
    limit = call.quotas.recording_configurations
    if call.records.count(RECORDING_CONFIGURATION) >= limit:
        raise quota_exceeded("recording configurations", limit)
    configuration = {
        "arn": call.records.new_arn(RECORDING_CONFIGURATION),
        "name": call.get("name", ""),
        "destinationConfiguration": call["destinationConfiguration"],
        "state": "ACTIVE",
        "tags": accepted_tags(call),
        "thumbnailConfiguration": {**THUMBNAILS, **call.get("thumbnailConfiguration", {})},
        "recordingReconnectWindowSeconds": call.get("recordingReconnectWindowSeconds", 0),
        "renditionConfiguration": _renditions(call),
    }
    call.records.insert(RECORDING_CONFIGURATION, configuration)
    return {"recordingConfiguration": configuration}


def _renditions(call: Call) -> Document:
    """https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RenditionConfiguration.html"""
    configuration: Document = {**RENDITIONS, **call.get("renditionConfiguration", {})}
    if configuration["renditionSelection"] == "CUSTOM" and not configuration["renditions"]:
        raise invalid("renditionSelection CUSTOM needs renditions")
    return configuration


def get_recording_configuration(call: Call) -> Document:
    return {"recordingConfiguration": call.records.get(RECORDING_CONFIGURATION, call["arn"])}


def list_recording_configurations(call: Call) -> Document:
    def select(after: int, limit: int) -> list[Placed]:
        configurations = call.records.select(RECORDING_CONFIGURATION, after=after, limit=limit)
        return [(place, without(configuration, *NOT_IN_SUMMARY)) for place, configuration in configurations]

    return page(call, "recordingConfigurations", select)


def delete_recording_configuration(call: Call) -> None:
    """Refused while a channel uses it."""
    configuration = call.records.get(RECORDING_CONFIGURATION, call["arn"])
    if call.records.has("channel", "recordingConfigurationArn", configuration["arn"]):
        raise conflict(f"Channels use the recording configuration: {configuration['arn']}")
    call.records.delete(configuration["arn"])
