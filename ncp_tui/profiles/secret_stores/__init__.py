"""The places that can keep a secret key, behind one Protocol; keyring is imported when a store is asked, not before."""
