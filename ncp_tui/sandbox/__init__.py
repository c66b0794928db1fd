"""A local NCP gateway with Search Engine Service behind it, which imports nothing of the client that it judges."""
