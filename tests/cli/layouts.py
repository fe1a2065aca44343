# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes picture files of every layout byte by byte, without any image library.

Pixels are arrays of height x width x channels (gray, gray and alpha, R G B, R G B A), uint8 or uint16."""
import struct
import zlib

import numpy as np


def scaled(values, bits):
    """Converts numbers of fewer bits to the 8-bit numbers with the same meaning."""
    return values if bits >= 8 else (values.astype(np.int64) * 255 // ((1 << bits) - 1)).astype(np.uint8)


def packed_rows(values, bits):
    """Packs rows of samples (height x n) of 1, 2, 4 or 8 bits to bytes. Each row starts a new byte."""
    if bits == 8: return values.astype(np.uint8)
    per = 8 // bits
    wide = np.zeros((values.shape[0], -(-values.shape[1] // per) * per), np.uint8)
    wide[:, :values.shape[1]] = values
    return sum((wide[:, i::per] << (8 - bits * (i + 1))) for i in range(per)).astype(np.uint8)


# ---- PNG -------------------------------------------------------------------------------------------------------------

def chunk(name, data): return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels, bits=None, palette=None, before=b"", interlaced=False):
    """`before`: chunks after the header. `palette`: n x 3 or n x 4; pixels are then its indices. Interlaced files
    have 8 or 16 bits."""
    height, width, channels = pixels.shape
    bits = bits or pixels.dtype.itemsize * 8
    kind = 3 if palette is not None else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))) + before
    if palette is not None:
        out += chunk(b"PLTE", palette[:, :3].astype(np.uint8).tobytes())
        if palette.shape[1] == 4: out += chunk(b"tRNS", palette[:, 3].astype(np.uint8).tobytes())
    adam7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    raw = b""
    for y, x, dy, dx in adam7 if interlaced else ((0, 0, 1, 1),):
        part = pixels[y::dy, x::dx]
        for row in part if part.shape[1] else ():
            raw += b"\0" + (row.astype(">u2").tobytes() if bits == 16 else packed_rows(row.reshape(1, -1), bits).tobytes())
    return out + chunk(b"IDAT", zlib.compress(raw, 6)) + chunk(b"IEND", b"")


def read_png(data):
    """Returns the pixels of a PNG without palette and interlacing, and its other chunks by name."""
    at, chunks = 8, {}
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        chunks.setdefault(name.decode(), []).append(data[at + 8:at + 8 + size])
        at += 12 + size
    width, height, bits, kind = struct.unpack(">IIBB", chunks["IHDR"][0][:10])
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[kind]
    raw = np.frombuffer(zlib.decompress(b"".join(chunks["IDAT"])), np.uint8).reshape(height, -1)
    step = channels * bits // 8
    rows = np.zeros((height, raw.shape[1] - 1), np.uint8)
    for y in range(height):
        row = raw[y, 1:].astype(np.int64)
        if raw[y, 0] == 1:
            row = row.reshape(-1, step).cumsum(0).reshape(-1)
        elif raw[y, 0] != 0:
            raise ValueError(f"filter {raw[y, 0]}")
        rows[y] = row & 255
    values = rows.view(">u2").astype(np.uint16) if bits == 16 else rows
    return values.reshape(height, width, channels), chunks


# ---- TIFF ------------------------------------------------------------------------------------------------------------

def tiff(pixels, photometric, bits=None, extra=None, planes=False, tile=None, big=False, order="<", pack=False, palette=None, more=(), pages=1,
         sample_format=None):
    """`more`: further entries (tag, type, values). `extra`: the number in ExtraSamples. `tile`: a side, a multiple
    of 16."""
    height, width, samples = pixels.shape
    bits = bits or pixels.dtype.itemsize * 8
    value = (lambda a: a.astype(a.dtype.newbyteorder(order)).tobytes()) if bits > 8 else (lambda a: packed_rows(a.reshape(a.shape[0], -1), bits).tobytes())
    squeeze = zlib.compress if pack else bytes
    pieces = []
    for part in ([pixels[..., i:i + 1] for i in range(samples)] if planes else [pixels]):
        if tile:
            for y in range(0, height, tile):
                for x in range(0, width, tile):
                    block = np.zeros((tile, tile, part.shape[2]), part.dtype)
                    inside = part[y:y + tile, x:x + tile]
                    block[:inside.shape[0], :inside.shape[1]] = inside
                    pieces.append(squeeze(value(block)))
        else:
            pieces += [squeeze(value(part[y:y + 16])) for y in range(0, height, 16)]
    short, long = (3, "H"), (16, "Q") if big else (4, "I")
    entries = [(256, long, [width]), (257, long, [height]), (258, short, [bits] * samples), (259, short, [8 if pack else 1]),
               (262, short, [photometric]), (277, short, [samples]), (284, short, [2 if planes else 1])]
    if extra is not None: entries.append((338, short, list(extra)))
    if sample_format: entries.append((339, short, [sample_format] * samples))
    if palette is not None: entries.append((320, short, list((palette.astype(np.uint32) * 257).T.reshape(-1))))
    entries += [(322, long, [tile]), (323, long, [tile])] if tile else [(278, long, [16])]
    entries += [(tag, kind, values) for tag, kind, values in more]
    mark = b"II" if order == "<" else b"MM"
    out = bytearray(mark + (struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else struct.pack(order + "HI", 42, 0)))
    pointer = 8 if big else 4
    for _ in range(pages):
        offsets = []
        for piece in pieces:
            offsets.append(len(out))
            out += piece + bytes(len(piece) % 2)
        listed = sorted(entries + [(324 if tile else 273, long, offsets), (325 if tile else 279, long, [len(p) for p in pieces])])
        packed = []
        for tag, (kind, letter), values in listed:
            data = struct.pack(f"{order}{len(values)}{letter}", *values)
            room = 8 if big else 4
            if len(data) > room:
                at = len(out)
                out += data + bytes(len(data) % 2)
                data = struct.pack(order + ("Q" if big else "I"), at)
            packed.append(struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(values)) + data.ljust(room, b"\0"))
        struct.pack_into(order + ("Q" if big else "I"), out, pointer, len(out))
        out += struct.pack(order + ("Q" if big else "H"), len(packed)) + b"".join(packed)
        pointer = len(out)
        out += bytes(8 if big else 4)
    return bytes(out)


# ---- JPEG ------------------------------------------------------------------------------------------------------------

def jpeg_header(components, precision=8):
    """Returns just enough of a JPEG to tell its layout."""
    frame = struct.pack(">HBHHB", 8 + 3 * components, precision, 128, 128, components) + bytes(b for i in range(components) for b in (i + 1, 0x11, 0))
    scan = struct.pack(">HB", 6 + 2 * components, components) + bytes(b for i in range(components) for b in (i + 1, 0)) + b"\0\x3f\0"
    return b"\xff\xd8\xff\xc1" + frame + b"\xff\xda" + scan + b"\0" * 300 + b"\xff\xd9"
