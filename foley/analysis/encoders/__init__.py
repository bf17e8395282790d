"""Visual encoders: each file is one, its name is the file's."""
