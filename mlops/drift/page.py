"""The answer as a page, see `mlops.pages`."""

from __future__ import annotations

from html import escape

from mlops.drift.statistics import p_text
from mlops.pages import badge, name, table, tiles, whole
from mlops.records.drift import Bar, ColumnDrift, DriftReport, JointDrift

_ORDER = {"drifted": 0, "unjudged": 1, "same": 2, "ignored": 3}
_CARDS = 60
"""With more columns, only the first get a plot; the table has all."""


def page(report: DriftReport) -> str:
    """The whole page as HTML."""
    columns = sorted(report.columns, key=lambda each: (_ORDER[each.verdict], -_effect(each), each.column))
    title = f"Drift of {report.dataset}" if report.dataset else "Drift"
    return whole(title, [
        _head(report, title), _columns(report, columns), _joint(report.joint), _table(columns), _foot(report),
    ])


def _head(report: DriftReport, title: str) -> str:
    drifted = [each for each in report.columns if each.verdict == "drifted"]
    joint = report.joint
    lines = [
        f"<header><h1>{escape(title)} {_badge(report.verdict)}</h1>",
        f'<p class="soft">From <b>{escape(report.reference.name)}</b>{_note(report.reference.note)} to '
        f"<b>{escape(report.current.name)}</b>{_note(report.current.note)}.</p>",
        tiles([
            ("Columns that drifted", f"{len(drifted)} of {len(report.columns)}",
             f"{report.correction} over {report.tests} tests at {report.alpha:g}"),
            ("Together", joint.verdict, f"{joint.tested} pairs at {joint.alpha:g}"),
            ("Rows before", f"{report.reference.rows:,}", ""), ("Rows after", f"{report.current.rows:,}", ""),
        ]),
        '<p class="note">Nothing of severity <b>block</b>.</p>' if drifted and not report.blocking else "",
    ]
    for label, names in (("Missing", report.missing_columns), ("New, not compared", report.extra_columns)):
        if names:
            lines.append(f"<p>{label}: {escape(', '.join(names[:20]))}{' …' if len(names) > 20 else ''}</p>")
    lines += [f'<p class="warn">{escape(note)}</p>' for note in report.notes]
    return "\n".join([*filter(None, lines), "</header>"])


def _note(text: str) -> str:
    return f" ({escape(text)})" if text else ""


def _columns(report: DriftReport, columns: list[ColumnDrift]) -> str:
    cards = "\n".join(_card(each) for each in columns[:_CARDS])
    more = f'<p class="soft">The other {len(columns) - _CARDS} columns are in the table below.</p>'
    key = '<p class="key soft"><span class="before"></span>before<span></span>after</p>'
    return f'<h2>Columns</h2>\n{key}\n<div class="cards">\n{cards}\n</div>{more if len(columns) > _CARDS else ""}'


def _card(each: ColumnDrift) -> str:
    warn = ' <span class="warn">warn</span>' if each.severity == "warn" and each.verdict == "drifted" else ""
    lines = [
        f'<section class="card"><h3><span>{name(each.column)} '
        f'<span class="soft">{escape(each.type)}</span></span>'
        f"<span>{_badge(each.verdict, each.size)}{warn}</span></h3>",
        *(f"<p>{escape(reason)}</p>" for reason in each.reasons),
        _bars(each.bars) if each.bars else "",
    ]
    found = each.distribution
    if found is not None:
        if found.ks is not None:
            shift = f", mean {found.shift:+.3f} sd" if found.shift is not None else ""
            told = f"KS {found.ks:.4f} (at most {found.ks_at_most:.4f}){shift}"
        else:
            told = f"total variation {found.effect:.4f}"
        lines.append(
            f'<p class="soft">{told}; PSI {found.psi:.4f}, JS {found.js:.4f}. Seen from {found.smallest:.3f} on'
            f"{f' (a shift of {found.smallest_shift:.2f} sd)' if found.smallest_shift is not None else ''}.</p>"
        )
    for label, names in (("new", each.new_names), ("gone", each.gone_names)):
        if names:
            listed = ", ".join(f"{name} ({share:.2%})" for name, share in names.items())
            lines.append(f"<p>{label}: {escape(listed)}</p>")
    if each.outside:
        lines.append(f'<p class="soft">{each.outside:.2%} of the values lie beyond the range seen before.</p>')
    lines.append("</section>")
    return "\n".join(line for line in lines if line)


def _bars(bars: list[Bar]) -> str:
    """Pairs of bars as an SVG of 320 by 96 units; each pair tells its range and shares when pointed at."""
    height, base, width = 96, 80, 320
    top = max(max(bar.reference, bar.current) for bar in bars) or 1.0
    step = width / len(bars)
    each = min(step * 0.4, 18)
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="shares before and after">']
    for number, bar in enumerate(bars):
        middle = (number + 0.5) * step
        told = f"{bar.label}: {bar.reference:.2%} → {bar.current:.2%}"
        parts.append(f"<g><title>{escape(told)}</title>")
        for side, left, share in (("before", middle - each, bar.reference), ("after", middle, bar.current)):
            tall = share / top * (base - 6)
            parts.append(
                f'<rect class="{side}" x="{left:.1f}" y="{base - tall:.1f}" width="{each - 0.7:.1f}" '
                f'height="{tall:.1f}"/>'
            )
        parts.append("</g>")
        if len(bars) <= 7:
            room = max(int(step / 5.6), 3)
            label = bar.label if len(bar.label) <= room else bar.label[:room - 1] + "…"
            parts.append(f'<text x="{middle:.1f}" y="{height - 4}" text-anchor="middle">{escape(label)}</text>')
    if len(bars) > 7:
        first, last = bars[0].label.rpartition(" to ")[2] or bars[0].label, bars[-1].label.partition(" to ")[0]
        parts.append(f'<text x="2" y="{height - 4}">≤ {escape(first[:24])}</text>')
        parts.append(f'<text x="{width - 2}" y="{height - 4}" text-anchor="end">≥ {escape(last[:24])}</text>')
    parts.append(f'<line x1="0" y1="{base}" x2="{width}" y2="{base}"/></svg>')
    return "".join(parts)


def _joint(joint: JointDrift) -> str:
    lines = [f"<h2>Together {_badge(joint.verdict)}</h2>", *(f"<p>{escape(reason)}</p>" for reason in joint.reasons)]
    if joint.tested:
        seen = f" Seen from a change of {joint.smallest:.3f} on." if joint.smallest is not None else ""
        lines.append(f'<p class="soft">{joint.tested} pairs: {escape(joint.method)}.{seen}</p>')
    if joint.pairs:
        head = ("Column", "with", "Before", "After", "Change", "Corrected p", "")
        lines.append(table(head, [
            (name(pair.first), name(pair.second), f"{pair.reference:+.3f}", f"{pair.current:+.3f}",
             f"{pair.change:+.3f}", escape(p_text(pair.p_corrected)), _badge("drifted" if pair.drifted else "same"))
            for pair in joint.pairs
        ], numbers=range(2, 6)))
    return "\n".join(lines)


def _table(columns: list[ColumnDrift]) -> str:
    rows: list[tuple[str, ...]] = []
    for each in columns:
        found, missing = each.distribution, each.missing
        rows.append((
            name(each.column), _badge(each.verdict, each.size),
            f"{found.effect:.4f}" if found else "", escape(p_text(found.p_corrected)) if found else "",
            f"{found.smallest:.3f}" if found else "", f"{found.psi:.4f}" if found else "",
            f"{found.js:.4f}" if found else "",
            f"{found.wasserstein:.4f}" if found and found.wasserstein is not None else "",
            f"{missing.reference:.2%}" if missing else "", f"{missing.current:.2%}" if missing else "",
        ))
    head = ("Column", "", "Effect", "Corrected p", "Seen from", "PSI", "JS", "Wasserstein, sd", "Empty before",
            "Empty after")
    return f"<h2>All columns</h2>\n{table(head, rows, numbers=range(2, 10))}"


def _foot(report: DriftReport) -> str:
    return (
        '<footer class="soft"><p>A column drifted where its effect (KS distance for numbers, total variation for '
        "categories, the difference of the shares of empty cells) reaches its threshold <b>and</b> the p-value, "
        f"corrected by {escape(report.correction)} for {report.tests} tests, is below {report.alpha:g}. “Seen from” is "
        "the smallest true effect that these numbers of rows show with 95 % probability. Groups are fixed by the rows "
        "before: ten of about equal share, or the commonest categories.</p></footer>"
    )


def _badge(verdict: str, size: str | None = None) -> str:
    kind = {"drifted": "bad", "same": "good"}.get(verdict, "warn")
    return badge(f"{verdict}, {size}" if size else verdict, kind)


def _effect(each: ColumnDrift) -> float:
    effects = [part.effect for part in (each.distribution, each.missing) if part is not None]
    return max(effects, default=1.0)
