"""Looks at the picture, listens to its sound, reads what people say of it."""
