"""Channels, streams, the inbox of events, the audit log, differences, and coordination rows."""

from channels_app.models.audit import AuditEntry as AuditEntry
from channels_app.models.channels import Channel as Channel
from channels_app.models.channels import ChannelLiveState as ChannelLiveState
from channels_app.models.channels import ChannelQuerySet as ChannelQuerySet
from channels_app.models.channels import ChannelType as ChannelType
from channels_app.models.channels import LatencyMode as LatencyMode
from channels_app.models.channels import NewVideoState as NewVideoState
from channels_app.models.channels import StateChange as StateChange
from channels_app.models.channels import Stream as Stream
from channels_app.models.channels import StreamHistoryEntry as StreamHistoryEntry
from channels_app.models.channels import StreamQuerySet as StreamQuerySet
from channels_app.models.channels import new_video_state as new_video_state
from channels_app.models.coordination import Adoption as Adoption
from channels_app.models.coordination import IdempotencyKey as IdempotencyKey
from channels_app.models.coordination import Lease as Lease
from channels_app.models.differences import ReportedDifference as ReportedDifference
from channels_app.models.inbox import InboxEvent as InboxEvent
from channels_app.models.inbox import InboxEventQuerySet as InboxEventQuerySet
