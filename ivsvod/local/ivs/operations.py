"""Every operation of the local IVS, by its name in the service model.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html
"""

from ivsvod.local.ivs import channels, playback, recording_configurations, streams
from ivsvod.local.ivs.calls import Operation

OPERATIONS: dict[str, Operation] = {
    "CreateChannel": channels.create_channel,
    "UpdateChannel": channels.update_channel,
    "GetChannel": channels.get_channel,
    "BatchGetChannel": channels.batch_get_channel,
    "ListChannels": channels.list_channels,
    "DeleteChannel": channels.delete_channel,
    "CreateStreamKey": channels.create_stream_key,
    "GetStreamKey": channels.get_stream_key,
    "ListStreamKeys": channels.list_stream_keys,
    "DeleteStreamKey": channels.delete_stream_key,
    "TagResource": channels.tag_resource,
    "UntagResource": channels.untag_resource,
    "ListTagsForResource": channels.list_tags_for_resource,
    "GetStream": streams.get_stream,
    "ListStreams": streams.list_streams,
    "StopStream": streams.stop_stream,
    "ListStreamSessions": streams.list_stream_sessions,
    "GetStreamSession": streams.get_stream_session,
    "CreateRecordingConfiguration": recording_configurations.create_recording_configuration,
    "GetRecordingConfiguration": recording_configurations.get_recording_configuration,
    "ListRecordingConfigurations": recording_configurations.list_recording_configurations,
    "DeleteRecordingConfiguration": recording_configurations.delete_recording_configuration,
    "ImportPlaybackKeyPair": playback.import_playback_key_pair,
    "GetPlaybackKeyPair": playback.get_playback_key_pair,
    "ListPlaybackKeyPairs": playback.list_playback_key_pairs,
    "DeletePlaybackKeyPair": playback.delete_playback_key_pair,
    "StartViewerSessionRevocation": playback.start_viewer_session_revocation,
    "BatchStartViewerSessionRevocation": playback.batch_start_viewer_session_revocation,
}
