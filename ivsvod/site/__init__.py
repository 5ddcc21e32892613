"""The catalogue page: what the public API says, as HTML."""
