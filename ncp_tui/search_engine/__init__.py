"""Search Engine Service (SES) over the gateway: its operations with their effects, its objects, its client."""
