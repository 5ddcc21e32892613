"""The whole service from outside: in a browser, in processes of its own, on adopted databases."""
