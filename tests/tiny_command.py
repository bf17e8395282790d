"""Small programs that make sound on request, well and badly: what `command` runs in tests."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

WELL = "well"

HEAD = '''#!{python}
"""A generator of its own: reads foley.request/1, writes 16-bit sound."""
import json, math, os, pathlib, struct, subprocess, sys, wave

def write(path, samples, rate_hz, channels=1):
    """Write samples in [-1, 1], the same in all channels."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(b"".join(struct.pack("<h", round(32767 * x)) * channels for x in samples))

def sound(seconds, rate_hz, seed):
    """Return a blow with a pitch of its own for each seed: it rises at once and rings off."""
    hz = 300.0 + seed % 997
    count = round(seconds * rate_hz)
    return [0.5 * math.sin(2 * math.pi * hz * n / rate_hz + 1.0) * math.exp(-n / (0.2 * rate_hz)) for n in range(count)]

request = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
output, rate_hz, asked_s, seed = request["output"], request["rate_hz"], request["duration_s"], request["seed"]
'''
"""What all of them begin with; they need nothing but Python."""

BEHAVIOURS = {
    WELL: "write(output, sound(asked_s, rate_hz, seed), rate_hz, request['channels'])",
    "stereo": "write(output, sound(asked_s, rate_hz, seed), rate_hz, 2)",
    "six_channels": "write(output, sound(asked_s, rate_hz, seed), rate_hz, 6)",
    "a_little_long": "write(output, sound(asked_s + 0.1, rate_hz, seed), rate_hz)",
    "a_little_short": "write(output, sound(asked_s - 0.1, rate_hz, seed), rate_hz)",
    "too_long": "write(output, sound(asked_s + 1.0, rate_hz, seed), rate_hz)",
    "too_short": "write(output, sound(asked_s / 2, rate_hz, seed), rate_hz)",
    "another_rate": "write(output, sound(asked_s, 16000, seed), 16000)",
    "silence": "write(output, [0.0] * round(asked_s * rate_hz), rate_hz)",
    "not_a_number": """
count = round(asked_s * rate_hz)
data = struct.pack("<f", math.nan) * count
head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 3, 1, rate_hz, 4 * rate_hz, 4, 32, b"data", len(data))
pathlib.Path(output).write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data)
""",
    "loud": """
data = struct.pack("<f", 4.0) + struct.pack("<f", 1.0) * (round(asked_s * rate_hz) - 1)
head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 3, 1, rate_hz, 4 * rate_hz, 4, 32, b"data", len(data))
pathlib.Path(output).write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data)
""",
    "fails": """
print("\\x1b[31mCUDA is not\\x1b[0m available\\x07", file=sys.stderr)
sys.exit(3)
""",
    "tells_a_secret": "print(os.environ['TINY_TOKEN'], file=sys.stderr); sys.exit(1)",
    "leaves_a_child": """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(request["prompt"]).write_text(str(child.pid))
write(output, sound(asked_s, rate_hz, seed), rate_hz)
""",
    "writes_nothing": "print('all done')",
    "garbage": "pathlib.Path(output).write_bytes(b'no sound at all' * 100)",
    "a_link": "os.symlink('/etc/hostname', output)",
    "talks": """
for number in range(200000):
    print("step", number)
write(output, sound(asked_s, rate_hz, seed), rate_hz)
""",
    "tells": """
seen = {"argv": sys.argv, "request": request, "environment": dict(os.environ), "folder": os.getcwd()}
seen["files"] = sorted(path.name for path in pathlib.Path().rglob("*"))
seen["input"] = sys.stdin.read()
pathlib.Path(os.environ["TINY_TELLS"]).write_text(json.dumps(seen))
if request["video"]:
    pathlib.Path(os.environ["TINY_TELLS"]).with_suffix(".mp4").write_bytes(pathlib.Path(request["video"]).read_bytes())
write(output, sound(asked_s, rate_hz, seed), rate_hz)
""",
}
"""What each does once it has read its request."""


def make(folder: Path, behaviour: str = WELL) -> Path:
    """Write a program that behaves like this into a folder; what is returned can be given as `--model`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{behaviour}.program"
    path.write_text(HEAD.format(python=sys.executable) + BEHAVIOURS[behaviour].strip() + "\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
