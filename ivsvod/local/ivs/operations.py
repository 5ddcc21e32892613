"""Every operation that the local IVS has, by the name it has in the service model.

https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Operations.html
"""

from ivsvod.local.ivs import channels, playback, recording_configurations, stream_keys, streams, tagging
from ivsvod.local.ivs.calls import Operation

OPERATIONS: dict[str, Operation] = {
    "CreateChannel": channels.create_channel,
    "UpdateChannel": channels.update_channel,
    "GetChannel": channels.get_channel,
    "BatchGetChannel": channels.batch_get_channel,
    "ListChannels": channels.list_channels,
    "DeleteChannel": channels.delete_channel,
    "CreateStreamKey": stream_keys.create_stream_key,
    "GetStreamKey": stream_keys.get_stream_key,
    "BatchGetStreamKey": stream_keys.batch_get_stream_key,
    "ListStreamKeys": stream_keys.list_stream_keys,
    "DeleteStreamKey": stream_keys.delete_stream_key,
    "GetStream": streams.get_stream,
    "ListStreams": streams.list_streams,
    "StopStream": streams.stop_stream,
    "PutMetadata": streams.put_metadata,
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
    "CreatePlaybackRestrictionPolicy": playback.create_playback_restriction_policy,
    "UpdatePlaybackRestrictionPolicy": playback.update_playback_restriction_policy,
    "GetPlaybackRestrictionPolicy": playback.get_playback_restriction_policy,
    "ListPlaybackRestrictionPolicies": playback.list_playback_restriction_policies,
    "DeletePlaybackRestrictionPolicy": playback.delete_playback_restriction_policy,
    "StartViewerSessionRevocation": playback.start_viewer_session_revocation,
    "BatchStartViewerSessionRevocation": playback.batch_start_viewer_session_revocation,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "ListTagsForResource": tagging.list_tags_for_resource,
}
