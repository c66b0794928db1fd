"""The job itself: a valid name, one request written down before it is sent, what is proved of it, its end."""
