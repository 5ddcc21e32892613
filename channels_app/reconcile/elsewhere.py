"""Channels of another region or account than the one that is asked: that IVS does not find them there says nothing."""

from django.conf import settings

from channels_app import aws
from channels_app.models import Channel
from channels_app.reconcile.asking import ask
from channels_app.reconcile.differences import Difference, Kind
from channels_app.services import CHANNEL_ARN

NONE_OF_THEM = "IVS has none of these channels: is it the right account?"


def elsewhere(arn: str) -> str:
    """Why a channel can not be asked for, by the settings alone; empty where it can be, or nothing is known."""
    parts = CHANNEL_ARN.fullmatch(arn)
    if parts is None:
        return ""
    if settings.AWS_REGION and parts["region"] != settings.AWS_REGION:
        return f"the channel is in {parts['region']}; this service asks in {settings.AWS_REGION}"
    return _other_account(parts["account"], _account_of(settings.RECORDING_CONFIG_ARN))


def elsewhere_of_missing(arn: str) -> str:
    """Why a not-found says nothing of the channel; empty where IVS does not have it.

    Raises:
        AwsError: IVS could not be asked what account it is.
    """
    if reason := elsewhere(arn):
        return reason
    account = _account_of(settings.RECORDING_CONFIG_ARN) or _listed_account()
    return _other_account(_account_of(arn), account) if account else NONE_OF_THEM


def _listed_account() -> str:
    listed = ask(aws.channels_page).items
    return _account_of(listed[0].arn) if listed else ""


def _account_of(arn: str) -> str:
    return next(iter(arn.split(":")[4:5]), "")


def _other_account(account: str, asked: str) -> str:
    return f"the channel is of account {account}; this service asks in {asked}" if asked not in ("", account) else ""


def not_here(reason: str, channel: Channel, **place: str) -> Difference:
    """It was not compared, and would not be by another try."""
    would = "run reconcile with the region and the credentials of the channel"
    return Difference(Kind.NOT_COMPARED, would, channel, place=place, ivs={"error": reason})
