"""Channels, their streams and the inbox of events in the admin."""

from channels_app.admin.audit import AuditedAdmin as AuditedAdmin
from channels_app.admin.audit import AuditEntryAdmin as AuditEntryAdmin
from channels_app.admin.audit import address_of as address_of
from channels_app.admin.audit import with_object_names as with_object_names
from channels_app.admin.channels import ChannelAdmin as ChannelAdmin
from channels_app.admin.differences import ReportedDifferenceAdmin as ReportedDifferenceAdmin
from channels_app.admin.events import InboxEventAdmin as InboxEventAdmin
from channels_app.admin.streams import StreamAdmin as StreamAdmin
from common.admin.pages import ChoiceFilter as ChoiceFilter
from common.admin.pages import LongListAdmin as LongListAdmin
from common.admin.pages import PageLink as PageLink
from common.admin.pages import PlainFormAdmin as PlainFormAdmin
from common.admin.pages import ReadOnlyAdmin as ReadOnlyAdmin
from common.admin.pages import TextSearch as TextSearch
from common.admin.pages import account_of as account_of
from common.admin.pages import list_address as list_address
from common.admin.pages import row_address as row_address
from common.admin.pages import time_column as time_column
