"""The audit log: who changed what, when, and by which way."""

from channels_app.audit.actors import Actor as Actor
from channels_app.audit.actors import Way as Way
from channels_app.audit.actors import acting as acting
from channels_app.audit.actors import acting_within as acting_within
from channels_app.audit.actors import actor_tell as actor_tell
from channels_app.audit.actors import audit_note as audit_note
from channels_app.audit.actors import audited as audited
from channels_app.audit.actors import command_acting as command_acting
from channels_app.audit.actors import telling_actor as telling_actor
