"""The job itself: a legal name, one request written down before it is sent, an honest outcome, the snapshot's end."""
