"""Check the database of the predecessor before and during its adoption, without a write: the command `switch --check`.

`queries.py` reads and `checks.py` turns the rows into findings. Neither uses the models: their tables may not exist.
"""
