"""Channels, their streams and the inbox of events in the admin."""

from channels_app.admin.audit import AuditedAdmin as AuditedAdmin
from channels_app.admin.audit import AuditEntryAdmin as AuditEntryAdmin
from channels_app.admin.channel_pages import ChannelLink as ChannelLink
from channels_app.admin.channels import ChannelAdmin as ChannelAdmin
from channels_app.admin.differences import DifferenceLink as DifferenceLink
from channels_app.admin.differences import ReportedDifferenceAdmin as ReportedDifferenceAdmin
from channels_app.admin.events import InboxEventAdmin as InboxEventAdmin
from channels_app.admin.pages import PlainFormAdmin as PlainFormAdmin
from channels_app.admin.pages import ReadOnlyAdmin as ReadOnlyAdmin
from channels_app.admin.pages import SafeLookups as SafeLookups
from channels_app.admin.pages import TextSearch as TextSearch
from channels_app.admin.pages import WordFilter as WordFilter
from channels_app.admin.streams import StreamAdmin as StreamAdmin
from channels_app.admin.streams import StreamLink as StreamLink
