"""SQL of videos and content that runs in the database."""
