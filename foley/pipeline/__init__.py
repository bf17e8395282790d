"""Runs stages: workflows, the runner, the cache, and what a run says of itself."""
