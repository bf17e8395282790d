"""`python -m foley`."""

from foley.cli import main

main()
