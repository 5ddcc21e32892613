"""The routes of channels: validate, call one service or read, answer."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from channels_app.fields import uuid_in_path
from channels_app.models import Channel
from channels_app.publishing import LIVE_STATE_MAX_AGE
from channels_app.serializers import ChannelCreateSerializer, created_channel_document
from channels_app.services import channel_create


class ChannelsView(APIView):
    """`POST /channels`"""

    write_scope = "channels"

    def post(self, request: Request) -> Response:
        """Create a channel in IVS."""
        serializer = ChannelCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        channel = channel_create(**serializer.validated_data)
        return Response(created_channel_document(channel), headers={"Cache-Control": "no-store"})


class LiveStateView(APIView):
    """`GET /channels/{uuid}/live`"""

    def get(self, request: Request, uuid: str) -> Response:
        """Whether the channel is live, and since when."""
        channel = Channel.objects.with_live_state().filter(pk=uuid_in_path(uuid)).first()
        if channel is None:
            raise Http404("IVS Channel not found")
        state = channel.live_state
        document = {"state": state.state, "timestamp": state.timestamp}
        extra = {"since": state.since, "stream_id": state.stream_id}
        return Response({**document, **extra}, headers={"Cache-Control": f"max-age={LIVE_STATE_MAX_AGE}"})
