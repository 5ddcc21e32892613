"""Events: the inbox, their handlers, the queue, replay and retention."""
