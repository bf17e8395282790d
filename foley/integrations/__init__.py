"""What runs inside editors: a plugin of OpenTimelineIO, an add-on of Blender, clients for Resolve and Premiere."""
