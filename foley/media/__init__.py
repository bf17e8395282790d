"""What touches media files: the ffmpeg programs, decoding pictures, sound on disk, muxing."""
