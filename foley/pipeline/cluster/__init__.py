"""Runs many videos on the machines of a Ray cluster: the only door to Ray, and to storage that machines share."""
