"""What the tables say about each object: pure functions from a domain object to cells, without any UI import."""
