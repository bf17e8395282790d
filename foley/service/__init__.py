"""The door for other programs: a durable queue of jobs, a local HTTP API, a watched folder."""
