# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Picture of the growth of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log10

from .figures import Figures
from .subjects import DIRECT, SDK_BULK

WIDTH, HEIGHT = 340, 240
"""Size of a panel. There is one for each latency."""

LEFT, RIGHT, TOP, BOTTOM = 45, 15, 30, 40
"""Room around the lines of a panel."""

LINES = {"create": ("all new", "#c2410c"), "unchanged": ("no change", "#1d4ed8")}


def growth_plot(figures: Figures) -> str:
    """Draw a picture in SVG."""
    latencies = figures.scale["latencies"]
    width = WIDTH * len(latencies)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        'font-family="system-ui" font-size="11">',
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>',
    ]
    for number, latency in enumerate(latencies):
        lines += [f'<g transform="translate({WIDTH * number})">', *_panel(figures, latency), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _panel(figures: Figures, latency: int) -> Iterator[str]:
    """Draw seconds by the number of mappings, both on linear scales."""
    sizes: list[int] = [*figures.scale["growth"], figures.scale["fleet"]]
    lines: list[tuple[str, str, list[float]]] = []
    for case, (title, colour) in LINES.items():
        solid, dashed = f'stroke="{colour}"', f'stroke="{colour}" stroke-dasharray="4 3"'
        lines += [
            (title, solid, [figures.measure(DIRECT, latency, case, size).seconds for size in sizes]),
            (f"{title}, baseline", dashed, [figures.baseline(latency, case, size) for size in sizes]),
        ]
    peers = [(colour, figures.measure(SDK_BULK, latency, case).seconds) for case, (_title, colour) in LINES.items()]
    highest = max(*(max(times) for _title, _style, times in lines), *(seconds for _colour, seconds in peers))
    tick = _round_up(highest / 5)

    def x(size: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * size / sizes[-1], 1)

    def y(seconds: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * seconds / tick / 5, 1)

    yield f'<text x="{LEFT}" y="18" font-weight="bold">{latency} ms per request</text>'
    for number in range(6):
        seconds = number * tick
        yield f'<path d="M{LEFT} {y(seconds)}H{WIDTH - RIGHT}" stroke="#e5e5e5"/>'
        yield f'<text x="{LEFT - 5}" y="{y(seconds) + 4}" text-anchor="end">{seconds:g} s</text>'
    for size in (size for size in sizes if size >= sizes[-1] / 10):
        yield f'<text x="{x(size)}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{size:,}</text>'
    yield f'<text x="{x(sizes[-1] / 2)}" y="{HEIGHT - 8}" text-anchor="middle">mappings</text>'
    for number, (title, style, times) in enumerate(lines):
        points = " ".join(f"{x(size)},{y(seconds)}" for size, seconds in zip(sizes, times, strict=True))
        key = TOP + 10 + 15 * number
        yield f'<polyline fill="none" stroke-width="2" {style} points="{points}"/>'
        yield f'<path stroke-width="2" {style} d="M{LEFT + 10} {key}h20"/>'
        yield f'<text x="{LEFT + 35}" y="{key + 4}">{title}</text>'
    key = TOP + 10 + 15 * len(lines)
    for colour, seconds in peers:
        yield f'<circle cx="{x(sizes[-1])}" cy="{y(seconds)}" r="4" fill="{colour}"/>'
    yield f'<circle cx="{LEFT + 20}" cy="{key}" r="4" fill="#444"/>'
    yield f'<text x="{LEFT + 35}" y="{key + 4}">SDK in bulk, without Ansible</text>'


def _round_up(value: float) -> float:
    """Return the next number that is 1, 2 or 5 times a power of ten."""
    power: float = 10 ** floor(log10(value))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value)
