"""Bar charts as SVG, by hand: a document anyone can open, and that version control can compare."""
from collections import namedtuple
from html import escape

#: One bar: its label, its length, the ends of its spread, and whether it is ours.
Bar = namedtuple("Bar", "label value low high ours")
#: Bars on one scale, which starts at zero.
Panel = namedtuple("Panel", "title subtitle form bars")

#: LABELS holds the longest one, "Hydrant, 1 worker, ack = received".
WIDTH, MARGIN, LABELS, VALUES = 912, 36, 262, 96
BAR, STEP = 20, 34
INK, MUTED, RULE, OURS, THEIRS, SPREAD = "#1f2933", "#616e7c", "#e4e7eb", "#0b7285", "#9fb3c8", "#243b53"
STYLE = f"""
    text {{ font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: {INK}; }}
    .title {{ font-size: 22px; font-weight: 650; }}
    .panel {{ font-size: 15px; font-weight: 600; }}
    .muted {{ font-size: 12px; fill: {MUTED}; }}
    .label {{ font-size: 13px; }}
    .ours {{ font-weight: 600; }}
    .value {{ font-size: 13px; font-variant-numeric: tabular-nums; }}
"""


def _round_up(value):
    """The least 1, 2, 2.5 or 5 times a power of ten that is not below `value`."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)


def _ticks(most):
    step = _round_up(most / 8)
    return [step * at for at in range(int(most / step) + 1)]


def _tick_text(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _panel(panel, top):
    """The panel's elements, and where the next may begin."""
    left, right = MARGIN + LABELS, WIDTH - MARGIN - VALUES
    most = max(bar.high for bar in panel.bars) or 1
    scale = (right - left) / most
    first, last = top + 40, top + 40 + STEP * len(panel.bars)
    out = [
        f'<text class="panel" x="{MARGIN}" y="{top}">{escape(panel.title)}</text>',
        f'<text class="muted" x="{MARGIN}" y="{top + 18}">{escape(panel.subtitle)}</text>',
    ]
    for tick in _ticks(most):
        x = left + tick * scale
        out.append(f'<line x1="{x:.1f}" y1="{first - 6}" x2="{x:.1f}" y2="{last}" stroke="{RULE}"/>')
        out.append(f'<text class="muted" x="{x:.1f}" y="{last + 16}" text-anchor="middle">{_tick_text(tick)}</text>')
    for at, bar in enumerate(panel.bars):
        y = first + STEP * at
        middle = y + BAR / 2
        low, high = left + bar.low * scale, left + bar.high * scale
        ours = " ours" if bar.ours else ""
        whisker = f"M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"
        out += [
            f'<text class="label{ours}" x="{left - 10}" y="{middle + 4.5}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect x="{left}" y="{y}" width="{max(bar.value * scale, 1):.1f}" height="{BAR}" rx="2" fill="{OURS if bar.ours else THEIRS}"/>',
            f'<path d="{whisker}" stroke="#ffffff" stroke-opacity="0.75" stroke-width="4" fill="none"/>',
            f'<path d="{whisker}" stroke="{SPREAD}" stroke-width="1.5" fill="none"/>',
            f'<text class="value{ours}" x="{max(high, left + bar.value * scale) + 8:.1f}" y="{middle + 4.5}">{escape(panel.form.format(bar.value))}</text>',
        ]
    return out, last + 62


def draw(title, foot, panels):
    """The document. `foot` is a list of lines."""
    body, top = [], 96
    for panel in panels:
        elements, top = _panel(panel, top)
        body += elements
    height = top + 6 + 18 * len(foot)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="{MARGIN}" y="48">{escape(title)}</text>',
    ]
    tail = [
        f'<text class="muted" x="{MARGIN}" y="{top + 4 + 18 * at}">{escape(line)}</text>' for at, line in enumerate(foot)
    ]
    return "\n".join([*head, *body, *tail, "</svg>"]) + "\n"
