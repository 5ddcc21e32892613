"""Recording configurations: the bucket of a channel's recordings, and how they are made. They cannot be changed.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfiguration.html
"""

from ivsvod.local.ivs.calls import Call, page, without
from ivsvod.local.ivs.errors import invalid
from ivsvod.local.ivs.store import Document

RECORDING_CONFIGURATION = "recording-configuration"
THUMBNAILS: Document = {"recordingMode": "INTERVAL", "targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"]}
RENDITIONS: Document = {"renditionSelection": "ALL", "renditions": []}
# https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_RecordingConfigurationSummary.html
NOT_IN_SUMMARY = ("thumbnailConfiguration", "recordingReconnectWindowSeconds", "renditionConfiguration")


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
    call.records.insert(RECORDING_CONFIGURATION, configuration)
    return {"recordingConfiguration": configuration}


def get_recording_configuration(call: Call) -> Document:
    return {"recordingConfiguration": call.records.get(RECORDING_CONFIGURATION, call["arn"])}


def list_recording_configurations(call: Call) -> Document:
    configurations = call.records.select(RECORDING_CONFIGURATION)
    return page(call, "recordingConfigurations", configurations, lambda found: without(found, *NOT_IN_SUMMARY))
