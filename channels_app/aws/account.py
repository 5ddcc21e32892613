"""All channels of the account, a page or fifty at a time."""

from dataclasses import dataclass

from channels_app.aws.clients import RETRIED, client
from channels_app.aws.errors import told_as_aws_error
from channels_app.aws.ivs import IvsChannel, ivs_channel
from channels_app.aws.pages import Page, from_token

# As many as one call of BatchGetChannel takes.
CHANNELS_AT_ONCE = 50


@dataclass(frozen=True)
class ChannelSummary:
    """What the list of channels tells of one."""

    arn: str
    name: str
    tags: dict[str, str]


def channels_page(*, token: str = "") -> Page[ChannelSummary]:
    """ListChannels.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListChannels.html

    Raises:
        AwsError: IVS could not be asked.
    """
    with told_as_aws_error("ListChannels", "all channels"):
        reply = client("ivs", RETRIED).list_channels(maxResults=100, **from_token(token))
        channels = [
            ChannelSummary(item["arn"], item.get("name", ""), item.get("tags", {})) for item in reply["channels"]
        ]
        return Page(channels, reply.get("nextToken", ""))


def channels_get(*, arns: list[str]) -> list[IvsChannel]:
    """BatchGetChannel of at most `CHANNELS_AT_ONCE`; without their keys. What IVS cannot tell of one is left out.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetChannel.html

    Raises:
        AwsError: IVS refused them all or could not be asked.
    """
    with told_as_aws_error("BatchGetChannel", f"{len(arns)} channels"):
        reply = client("ivs", RETRIED).batch_get_channel(arns=arns)
        return [ivs_channel(channel, None) for channel in reply["channels"]]
