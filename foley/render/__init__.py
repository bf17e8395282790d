"""Makes the sound of every event and puts it on time."""
