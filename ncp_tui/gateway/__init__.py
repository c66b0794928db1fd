"""Any NCP API-gateway service: where it is, how a request is signed and sent, and what its answers mean."""
