"""Media with a known truth, made with ffmpeg's own test sources: small, quick, the same on every machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

FLASH_S = 0.08
"""How long a flash and its tone last: two frames at 25 fps."""

RATE_HZ = 48_000

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "25", "-pix_fmt", "yuv420p")
_OWN_TIMES = ("-vsync", "passthrough", "-enc_time_base", "1/1000")


def ffmpeg(*args: str | Path) -> None:
    """Run ffmpeg; a test that cannot make its media fails with ffmpeg's own words."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def moving(
    to: Path, *, duration_s: float = 2.0, rate: str = "25", size: str = "160x90", more: Sequence[str] = _B_FRAMES
) -> Path:
    """Make a moving test picture without sound; `more` are ffmpeg's options for it, B-frames unless said otherwise."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={duration_s}", *more, to)
    return to


def flash_and_tone(
    to: Path,
    *,
    at_s: Sequence[float] = (1.0,),
    duration_s: float = 2.0,
    rate: str = "25",
    more: Sequence[str] = ("-c:a", "aac", "-b:a", "192k"),
) -> Path:
    """Make a black picture that flashes white, with a 1 kHz tone of 0.5 at each flash and silence between."""
    # frame times are a little under or over their decimal figure: a tenth of a frame decides nothing
    lit = "+".join(f"between(t,{t - 0.004},{t + FLASH_S - 0.004})" for t in at_s)
    sounding = "+".join(f"between(t,{t},{t + FLASH_S})" for t in at_s)
    picture = f"color=black:s=160x90:r={rate}:d={duration_s},drawbox=c=white:t=fill:enable='{lit}'"
    tone = f"aevalsrc='0.5*sin(2*PI*1000*t)*({sounding})':s={RATE_HZ}:d={duration_s}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *_H264, *more, to)
    return to


def variable_rate(to: Path) -> Path:
    """Make 40 frames: 25 a second up to 0.8 s, then 10 a second; the last is at 2.7 s."""
    source = "testsrc2=s=160x90:r=25:d=1.6,settb=1/1000,setpts='if(lt(N,20),N*40,800+(N-20)*100)'"
    ffmpeg("-f", "lavfi", "-i", source, *_H264, *_OWN_TIMES, to)
    return to


def gap(to: Path) -> Path:
    """Make 50 frames at 25 a second with a hole of one second after the first 25."""
    source = "testsrc2=s=160x90:r=25:d=2,settb=1/1000,setpts='if(lt(N,25),N*40,2000+(N-25)*40)'"
    ffmpeg("-f", "lavfi", "-i", source, *_H264, *_OWN_TIMES, to)
    return to


def rotated(to: Path, *, clockwise_deg: int) -> Path:
    """Make a 160x90 picture, red at its left and blue at its right, that players turn clockwise."""
    plain = to.with_name(f"plain-{to.name}")
    source = "color=red:s=80x90:r=25:d=0.4[a];color=blue:s=80x90:r=25:d=0.4[b];[a][b]hstack"
    ffmpeg("-f", "lavfi", "-i", source, *_H264, plain)
    counterclockwise = str(360 - clockwise_deg)
    options = subprocess.run(["ffmpeg", "-h", "long"], capture_output=True, text=True).stdout
    if "display_rotation" in options:  # ffmpeg 6 and newer
        ffmpeg("-display_rotation:v:0", counterclockwise, "-i", plain, "-c", "copy", to)
    else:
        ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v", f"rotate={counterclockwise}", to)
    return to


def late_picture(to: Path, *, by_s: float = 0.48) -> Path:
    """Make 2 s of picture that begin `by_s` after the sound, with a tone of 1 kHz one second after its first frame."""
    # outside the source: ffmpeg would take an input's own start off
    later = ("-vf", f"setpts=PTS+{by_s}/TB", "-vsync", "passthrough")
    tone = f"aevalsrc='0.5*sin(2*PI*1000*t)*between(t,{1 + by_s},{1 + by_s + FLASH_S})':s={RATE_HZ}:d={2 + by_s}"
    sound = ("-c:a", "pcm_s16le") if to.suffix in (".mkv", ".mov") else ("-c:a", "aac", "-b:a", "192k")
    picture = "testsrc2=s=160x90:r=25:d=2"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, *later, *_B_FRAMES, *sound, to)
    return to


def late_sound(to: Path, *, by_s: float = 0.5) -> Path:
    """Make 2 s of picture with a tone that begins `by_s` after it."""
    tone = f"sine=f=440:r={RATE_HZ}:d={2 - by_s}"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-itsoffset", str(by_s), "-f", "lavfi", "-i", tone),
        *(*_B_FRAMES, "-c:a", "pcm_s16le", to),
    )
    return to


def cut_start(to: Path, *, at_s: float = 1.32) -> Path:
    """Make 2.68 s of picture that an edit list begins in the middle of a group of pictures."""
    whole = moving(to.with_name(f"whole-{to.name}"), duration_s=4.0)
    ffmpeg("-ss", str(at_s), "-i", whole, "-c", "copy", to)
    return to


def rich(to: Path) -> Path:
    """Make a film with two sound tracks (eng, deu), two subtitle tracks, two chapters, tags and a time code."""
    subtitles, chapters = to.with_suffix(".srt"), to.with_suffix(".txt")
    subtitles.write_text("1\n00:00:00,500 --> 00:00:01,500\n[door slams]\n\n")
    chapters.write_text(
        ";FFMETADATA1\ntitle=A film\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
    )
    text = "mov_text" if to.suffix in (".mp4", ".mov") else "srt"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-f", "lavfi", "-i", f"sine=f=300:r={RATE_HZ}:d=2"),
        *("-f", "lavfi", "-i", f"sine=f=500:r={RATE_HZ}:d=2", "-i", subtitles, "-i", chapters),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "3", "-map_metadata", "4", "-map_chapters", "4"),
        *(*_B_FRAMES, "-c:a", "aac", "-c:s", text, "-timecode", "01:02:03:04"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "-metadata:s:s:0", "language=eng"),
        *("-metadata", "comment=Shot on a Tuesday", to),
    )
    return to


def with_cover(to: Path) -> Path:
    """Make a film whose first video stream is its cover."""
    film, cover = moving(to.with_name(f"film-{to.name}"), duration_s=1.0), to.with_suffix(".png")
    ffmpeg("-f", "lavfi", "-i", "color=green:s=640x640:d=1", "-frames:v", "1", cover)
    ffmpeg("-i", film, "-i", cover, "-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic", to)
    return to


def longer_sound(to: Path) -> Path:
    """Make 1 s of picture under 30 s of sound."""
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1", "-f", "lavfi", "-i", f"sine=f=300:r={RATE_HZ}:d=30"),
        *(*_B_FRAMES, "-c:a", "aac", to),
    )
    return to


def sound_only(to: Path) -> Path:
    """Make a file that holds a tone and no picture."""
    ffmpeg("-f", "lavfi", "-i", f"sine=f=300:r={RATE_HZ}:d=1", "-c:a", "aac", to)
    return to


def truncated(to: Path, *, share: float = 0.6, index_first: bool = True) -> Path:
    """Make the first part of a film of 4 s, as a copy that was broken off leaves it; with its index or without."""
    whole = to.with_name(f"whole-{to.name}")
    more = (*_B_FRAMES, "-movflags", "faststart" if index_first else "0")
    data = moving(whole, duration_s=4.0, size="320x180", more=more).read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to


def corrupt_in_the_middle(to: Path) -> Path:
    """Make a film of 4 s, 25 frames a second, in which coded pictures near 2 s are rubbish."""
    whole = to.with_name(f"whole-{to.name}")
    data = bytearray(moving(whole, duration_s=4.0, size="320x180").read_bytes())
    middle = len(data) // 2
    for place in range(middle, middle + 6000):
        data[place] = (data[place] * 7 + 13) % 256
    to.write_bytes(data)
    return to


def spoken(to: Path, *, before_s: float = 3.0, after_s: float = 3.0, noise_db: float = -30.0) -> Path:
    """Make a film in whose middle two sentences are spoken over noise; needs an ffmpeg with flite."""
    words = "The door opened slowly and he walked into the dark room. Nobody was there, but the window stood open."
    voice = f"flite=voice=kal:text='{words}',aresample={RATE_HZ},adelay={int(before_s * 1000)},apad=pad_dur={after_s}"
    noise = f"anoisesrc=c=pink:r={RATE_HZ}:a={10 ** (noise_db / 20):.4f}:seed=1"
    ffmpeg(
        *("-f", "lavfi", "-i", voice, "-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", "color=gray:s=160x90:r=10"),
        *("-filter_complex", "[0:a][1:a]amix=2:duration=first:normalize=0[a]", "-map", "2:v", "-map", "[a]"),
        *("-shortest", *_H264, "-c:a", "pcm_s16le", to),
    )
    return to


def with_sound(to: Path, samples: np.ndarray, *, rate_hz: int = RATE_HZ) -> Path:
    """Make a grey picture as long as the samples, of shape (channels, samples), with them as its sound track."""
    wav = to.with_suffix(".wav")
    soundfile.write(wav, samples.T, rate_hz, subtype="PCM_24")
    duration_s = samples.shape[1] / rate_hz
    picture = f"color=gray:s=160x90:r=25:d={duration_s}"
    ffmpeg("-f", "lavfi", "-i", picture, "-i", wav, *_H264, "-c:a", "pcm_s24le", to)
    return to


def can_speak() -> bool:
    """Return whether this ffmpeg has a speech synthesiser."""
    return " flite " in subprocess.run(["ffmpeg", "-filters"], capture_output=True, text=True).stdout
