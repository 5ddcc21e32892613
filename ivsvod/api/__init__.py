"""Project-wide parts of the API: who asks, what they may, and the shape of every error."""
