"""One chart as SVG: its line between its limits, a mark for each alarm, and the same in words."""

from __future__ import annotations

from markupsafe import Markup

from cds_service.monitoring.watch import WatchedChart

WIDTH, HEIGHT, EDGE = 320, 90, 6


def picture(of: WatchedChart) -> Markup:
    """The chart; values beyond one and a half limits stand at its edge."""
    if not of.days:
        return Markup("<p class=none>Not judged yet: too little before it.</p>")
    first, last = of.days[0].toordinal(), max(of.days[-1].toordinal(), of.days[0].toordinal() + 1)
    top = 1.5 * of.limit
    low = -top if of.two_sided else 0.0

    def across(day: int) -> float:
        return round(EDGE + (day - first) / (last - first) * (WIDTH - 2 * EDGE), 1)

    def up(value: float) -> float:
        return round(HEIGHT - EDGE - (min(max(value, low), top) - low) / (top - low) * (HEIGHT - 2 * EDGE), 1)

    limits = (of.limit, -of.limit) if of.two_sided else (of.limit,)
    parts = [Markup('<path class=limit d="M{} {y}H{}"/>').format(EDGE, WIDTH - EDGE, y=up(one)) for one in limits]
    line = " ".join(f"{across(day.toordinal())},{up(value)}" for day, value in zip(of.days, of.values, strict=True))
    parts.append(Markup('<polyline points="{}"/>').format(line))
    for day, value in zip(of.alarms, of.heights, strict=True):
        parts.append(Markup('<circle cx="{}" cy="{}" r="4"/>').format(across(day.toordinal()), up(value)))
    words = f"{of.days[0]} to {of.days[-1]}, {len(of.alarms)} alarms, limit {of.limit:.2f}, last {of.values[-1]:.2f}"
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, words, Markup("").join(parts)
    )
