"""Little pictures of things that sound, painted by parameters, for the recognition benchmark."""
