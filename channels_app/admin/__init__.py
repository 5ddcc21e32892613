"""Channels, their streams and the inbox of events in the admin."""

from channels_app.admin.audit import OBJECT_NAMES as OBJECT_NAMES
from channels_app.admin.audit import AuditedAdmin as AuditedAdmin
from channels_app.admin.audit import AuditEntryAdmin as AuditEntryAdmin
from channels_app.admin.audit import address_of as address_of
from channels_app.admin.audit import with_object_names as with_object_names
from channels_app.admin.channels import ChannelAdmin as ChannelAdmin
from channels_app.admin.differences import ReportedDifferenceAdmin as ReportedDifferenceAdmin
from channels_app.admin.events import InboxEventAdmin as InboxEventAdmin
from channels_app.admin.pages import ChoiceFilter as ChoiceFilter
from channels_app.admin.pages import LongListAdmin as LongListAdmin
from channels_app.admin.pages import PageLink as PageLink
from channels_app.admin.pages import PlainFormAdmin as PlainFormAdmin
from channels_app.admin.pages import ReadOnlyAdmin as ReadOnlyAdmin
from channels_app.admin.pages import TextSearch as TextSearch
from channels_app.admin.pages import account_of as account_of
from channels_app.admin.pages import list_address as list_address
from channels_app.admin.pages import row_address as row_address
from channels_app.admin.pages import time_column as time_column
from channels_app.admin.streams import StreamAdmin as StreamAdmin
