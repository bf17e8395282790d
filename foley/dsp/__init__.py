"""Signal processing on samples: fades, stretching, loudness, limiting, onsets."""
