"""The fault lab: trouble that an operator can rehearse and a test can rely on, each kind under a name of its own."""
