"""A look at the database of the predecessor, before and while ivsvod takes it over; nothing is written.

`looks.py` asks and `decisions.py` says what the answers mean. Neither knows our models: their tables may not be there.
"""
