"""The plugin of OpenTimelineIO: found through the entry point group `opentimelineio.plugins`."""
