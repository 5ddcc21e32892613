"""Every write of videos and content, and what finds and shows them."""
