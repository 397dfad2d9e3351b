"""Training the memory's own networks on renders of the built-in houses."""
