"""Write small XDF files, as the specification has them."""

import struct

import numpy as np

FORMS = {"float32": "<f4", "double64": "<f8", "int16": "<i2", "int32": "<i4"}


def _chunk(tag, content):
    body = struct.pack("<H", tag) + content
    return b"\x04" + struct.pack("<I", len(body)) + body


def header(number, name, fs, labels, form="float32", units=None, kind="EEG"):
    channels = "".join(f"<channel><label>{x}</label><unit>{(units or {}).get(x, '')}</unit></channel>" for x in labels)
    text = (
        f"<?xml version='1.0'?><info><name>{name}</name><type>{kind}</type><channel_count>{len(labels)}</channel_count>"
        f"<nominal_srate>{fs}</nominal_srate><channel_format>{form}</channel_format><desc><channels>{channels}</channels></desc></info>"
    )
    return _chunk(2, struct.pack("<I", number) + text.encode())


def samples(number, times, values, form="float32", stamped="all"):
    """One chunk; ``stamped``: all samples with their time, or the first alone."""
    parts = [struct.pack("<I", number), b"\x04", struct.pack("<I", len(times))]
    for k, time in enumerate(times):
        parts.append(b"\x08" + struct.pack("<d", time) if stamped == "all" or k == 0 else b"\x00")
        if form == "string":
            for word in values[k]:
                raw = word.encode()
                parts.append(b"\x01" + struct.pack("<B", len(raw)) + raw)
        else:
            parts.append(np.asarray(values[k], FORMS[form]).tobytes())
    return _chunk(3, b"".join(parts))


def offset(number, time, value):
    return _chunk(4, struct.pack("<Idd", number, time, value))


def footer(number, first=0.0, last=0.0, count=0):
    text = f"<?xml version='1.0'?><info><first_timestamp>{first}</first_timestamp><last_timestamp>{last}</last_timestamp><sample_count>{count}</sample_count></info>"
    return _chunk(6, struct.pack("<I", number) + text.encode())


def write(path, *chunks):
    start = _chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    path.write_bytes(b"XDF:" + start + b"".join(chunks))
    return path


def stream(number, name, fs, times, values, labels, form="float32", size=25, stamped="all", offsets=(), **more):
    """Return the chunks of a stream: header, samples in packets, offsets of its clock, footer."""
    parts = [header(number, name, fs, labels, form, **more)]
    for low in range(0, len(times), size):
        parts.append(samples(number, times[low : low + size], values[low : low + size], form, stamped))
    parts += [offset(number, time, value) for time, value in offsets]
    return [*parts, footer(number, times[0], times[-1], len(times))]
