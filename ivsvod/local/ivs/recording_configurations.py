"""Recording configurations: the bucket of a channel's recordings, and how they are made. They cannot be changed.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfiguration.html
"""

from ivsvod.local.ivs.calls import Call, page, without
from ivsvod.local.ivs.errors import conflict, invalid, quota_exceeded
from ivsvod.local.ivs.records import Document, Placed

RECORDING_CONFIGURATION = "recording-configuration"
THUMBNAILS: Document = {"recordingMode": "INTERVAL", "targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"]}
RENDITIONS: Document = {"renditionSelection": "ALL", "renditions": []}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfigurationSummary.html
NOT_IN_SUMMARY = ("thumbnailConfiguration", "recordingReconnectWindowSeconds", "renditionConfiguration")


def create_recording_configuration(call: Call) -> Document:
    """Create one that is ACTIVE at once; in AWS it takes up to 20 seconds."""
    if "s3" not in call["destinationConfiguration"]:
        raise invalid("destinationConfiguration needs an s3 destination")
    limit = call.quotas.recording_configurations
    if call.records.count(RECORDING_CONFIGURATION) >= limit:
        raise quota_exceeded("recording configurations", limit)
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
    call.records.insert(RECORDING_CONFIGURATION, configuration)
    return {"recordingConfiguration": configuration}


def get_recording_configuration(call: Call) -> Document:
    return {"recordingConfiguration": call.records.get(RECORDING_CONFIGURATION, call["arn"])}


def list_recording_configurations(call: Call) -> Document:
    def select(after: int, limit: int) -> list[Placed]:
        configurations = call.records.select(RECORDING_CONFIGURATION, after=after, limit=limit)
        return [(place, without(configuration, *NOT_IN_SUMMARY)) for place, configuration in configurations]

    return page(call, "recordingConfigurations", select)


def delete_recording_configuration(call: Call) -> None:
    """Delete it; refused while a channel uses it."""
    configuration = call.records.get(RECORDING_CONFIGURATION, call["arn"])
    if call.records.has("channel", "recordingConfigurationArn", configuration["arn"]):
        raise conflict(f"Channels use the recording configuration: {configuration['arn']}")
    call.records.delete(configuration["arn"])
