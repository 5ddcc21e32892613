"""Broadcasts on the local stack: an encoder, the reactions of Amazon IVS, and the delivery of the events."""
