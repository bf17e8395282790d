"""Does what it is asked."""

from tests.plugins.saboteur import Saboteur


def build() -> Saboteur:
    return Saboteur("faithful")
