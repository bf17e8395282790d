"""A folder of the user's own recordings, indexed: what each holds, what it may be used for, and which fits an event."""
