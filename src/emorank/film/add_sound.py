"""The process that joins a silent WebM film and the sound of the film that it was made from.

    python -m emorank.film.add_sound FILM SILENT WHOLE

It ends with status 3 where the film has no sound.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.error import FFmpegError

from emorank.child_process import bound_memory, die_with_parent
from emorank.film.decode_film import FORMATS, MEMORY

SILENT = 3
_RATE = 48_000
_BITS = 96_000  # a second


def main() -> None:
    """Join the films of the command line."""
    film, silent, whole = sys.argv[1:4]
    die_with_parent()
    bound_memory(MEMORY)
    av.logging.set_level(av.logging.PANIC)
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    with (
        av.open(f"file:{film}", options=options, metadata_errors="replace") as source,
        av.open(silent) as pictures,
        av.open(whole, "w", format="webm") as output,
    ):
        if not source.streams.audio:
            sys.exit(SILENT)
        video = output.add_stream_from_template(pictures.streams.video[0])
        audio: Any = output.add_stream("libopus", rate=_RATE)
        audio.layout, audio.bit_rate = "stereo", _BITS
        packets = pictures.demux(pictures.streams.video[0])
        waiting = next(packets, None)
        for sound, seconds in _sound(source, audio):
            while waiting is not None and _at(waiting) <= seconds:
                _put(output, video, waiting)
                waiting = next(packets, None)
            output.mux(sound)
        while waiting is not None:
            _put(output, video, waiting)
            waiting = next(packets, None)


def _at(packet: Any) -> float:
    return -1.0 if packet.pts is None else float(packet.pts * packet.time_base)


def _put(output: Any, stream: Any, packet: Any) -> None:
    if packet.pts is not None:  # the last one is empty
        packet.stream = stream
        output.mux(packet)


def _sound(source: Any, stream: Any) -> Iterator[tuple[Any, float]]:
    """Packets of Opus, each with its time; what cannot be decoded is left out."""
    begun = (source.start_time or 0) / av.time_base
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=_RATE)
    end = 0.0
    for packet in source.demux(source.streams.audio[0]):
        with suppress(FFmpegError):
            for frame in packet.decode():
                if frame.pts is None or frame.time_base is None:
                    continue
                time = float(frame.pts * frame.time_base) - begun
                if time < end - 0.05:
                    continue
                for part in resampler.resample(frame):
                    part.pts = round(max(time, end) * _RATE)
                    part.time_base = Fraction(1, _RATE)
                    end = max(time, end) + part.samples / _RATE
                    for made in stream.encode(part):
                        yield made, end
    for made in stream.encode(None):
        yield made, end


if __name__ == "__main__":
    main()
