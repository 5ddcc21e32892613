"""Channels of another region or account than that of this service: a not-found of IVS says nothing about them."""

from django.conf import settings

from channels_app.channels.provisioning import CHANNEL_ARN
from channels_app.models import Channel
from channels_app.reconcile.differences import Difference, DifferenceKind
from channels_app.reconcile.paced_calls import call_paced
from common import aws

NONE_FOUND = "IVS has none of these channels: is it the right account?"


def other_account(arn: str) -> str:
    """Return the reason if the settings name another region or account than the ARN; else an empty text."""
    parts = CHANNEL_ARN.fullmatch(arn)
    if parts is None:
        return ""
    if settings.AWS_REGION and parts["region"] != settings.AWS_REGION:
        return f"the channel is in {parts['region']}; this service uses {settings.AWS_REGION}"
    return _reason(parts["account"], _account_of(settings.RECORDING_CONFIG_ARN))


def other_account_of_missing(arn: str) -> str:
    """Return why a not-found says nothing about the channel; empty if IVS really does not have it."""
    if reason := other_account(arn):
        return reason
    account = _account_of(settings.RECORDING_CONFIG_ARN)
    if not account:
        listed = call_paced(aws.channels_page).items
        account = _account_of(listed[0].arn) if listed else ""
    return _reason(_account_of(arn), account) if account else NONE_FOUND


def _account_of(arn: str) -> str:
    return next(iter(arn.split(":")[4:5]), "")


def _reason(account: str, own: str) -> str:
    return f"the channel is of account {account}; this service uses {own}" if own not in ("", account) else ""


def other_account_difference(reason: str, channel: Channel, **place: str) -> Difference:
    """Return the difference for a channel of another account, which no retry can compare."""
    description = "run reconcile with the region and the credentials of the channel"
    return Difference(DifferenceKind.NOT_COMPARED, description, channel, place=place, ivs={"error": reason})
