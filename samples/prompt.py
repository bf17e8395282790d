"""Print what a user would type for a sample: `python samples/prompt.py workshop`."""

import json
import sys
from pathlib import Path

print(json.loads(Path(__file__).with_name("truth.json").read_text())[f"{sys.argv[1]}.mp4"]["prompt"])
