"""The answer as a page: one file, no script, nothing from another host, light and dark by the reader's setting."""

from __future__ import annotations

from html import escape

from mlops.drift.statistics import p_text
from mlops.records.drift import Bar, ColumnDrift, DriftReport, JointDrift

# The policy says the same to the browser: names and categories of the data stand in the page.
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
"""
_STYLE = """<style>
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8eb); --soft: light-dark(#5c6570, #9aa4af);
 --line: light-dark(#d9dee3, #343b43); --ground: light-dark(#ffffff, #14181c); --card: light-dark(#f6f8fa, #1c2126);
 --before: light-dark(#9aa7b4, #6b7885); --after: light-dark(#2166c4, #6ea8fe); --bad: light-dark(#b3261e, #ff8a80);
 --good: light-dark(#1a7f4b, #6fd39b); --wait: light-dark(#8a6100, #e3b341) }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 68rem;
 margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
p { margin: .3rem 0 } .soft { color: var(--soft) }
.verdict { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .7rem; font-size: .85rem;
 font-weight: 600; white-space: nowrap }
.drifted { color: var(--bad) } .same { color: var(--good) } .unjudged, .ignored, .warn { color: var(--wait) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: .8rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
 overflow-wrap: anywhere }
.card h3 { font-size: 1rem; margin: 0 0 .3rem; display: flex; justify-content: space-between; gap: .6rem;
 align-items: baseline; overflow-wrap: break-word }
.card svg { width: 100%; height: auto; display: block; margin: .5rem 0 }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child, td.text, th.text { text-align: left } td.text { white-space: normal }
th { color: var(--soft); font-weight: 500; font-size: .85rem }
.key span { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin: 0 .35rem 0 1rem;
 vertical-align: -1px } .key span:first-child { margin-left: 0 }
rect.before, span.before { fill: var(--before); background: var(--before) }
rect.after, span.after { fill: var(--after); background: var(--after) }
line { stroke: var(--line) } text { fill: var(--soft); font: 10px system-ui, sans-serif }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .6rem; font-size: .85rem }
</style></head><body>
"""
_ORDER = {"drifted": 0, "unjudged": 1, "same": 2, "ignored": 3}
_CARDS = 60
"""With more columns, only the first get a plot; the table has all."""


def page(report: DriftReport) -> str:
    """The whole page as HTML."""
    columns = sorted(report.columns, key=lambda each: (_ORDER[each.verdict], -_effect(each), each.column))
    title = f"Drift of {report.dataset}" if report.dataset else "Drift"
    parts = [
        _HEAD, f"<title>{escape(title)}</title>", _STYLE, _head(report, title), _columns(report, columns),
        _joint(report.joint), _table(columns), _foot(report), "</body></html>\n",
    ]
    return "\n".join(parts)


def _head(report: DriftReport, title: str) -> str:
    drifted = [each for each in report.columns if each.verdict == "drifted"]
    told = f"{len(drifted)} of {len(report.columns)} columns drifted"
    if report.joint.verdict == "drifted":
        told += ", and how they go together"
    lines = [
        f"<h1>{escape(title)} {_badge(report.verdict)}</h1>",
        f"<p>{told}.{' Nothing of severity <b>block</b>.' if drifted and not report.blocking else ''}</p>",
        f'<p class="soft">From <b>{escape(report.reference.name)}</b> ({report.reference.rows:,} rows'
        f'{_note(report.reference.note)}) to <b>{escape(report.current.name)}</b> ({report.current.rows:,} rows'
        f"{_note(report.current.note)}).</p>",
    ]
    for label, names in (("Missing", report.missing_columns), ("New, not compared", report.extra_columns)):
        if names:
            lines.append(f"<p>{label}: {escape(', '.join(names[:20]))}{' …' if len(names) > 20 else ''}</p>")
    lines += [f'<p class="warn">{escape(note)}</p>' for note in report.notes]
    lines.append(
        '<p class="key"><span class="before"></span>before<span class="after"></span>after</p>'
    )
    return "\n".join(lines)


def _note(text: str) -> str:
    return f", {escape(text)}" if text else ""


def _columns(report: DriftReport, columns: list[ColumnDrift]) -> str:
    cards = "\n".join(_card(each) for each in columns[:_CARDS])
    more = f'<p class="soft">The other {len(columns) - _CARDS} columns are in the table below.</p>'
    return f'<h2>Columns</h2>\n<div class="cards">\n{cards}\n</div>{more if len(columns) > _CARDS else ""}'


def _card(each: ColumnDrift) -> str:
    warn = ' <span class="warn">warn</span>' if each.severity == "warn" and each.verdict == "drifted" else ""
    lines = [
        f'<section class="card"><h3><span>{_breakable(each.column)} '
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
        rows = [
            f'<tr><td class="text">{escape(pair.first)}</td><td class="text">{escape(pair.second)}</td>'
            f"<td>{pair.reference:+.3f}</td><td>{pair.current:+.3f}</td><td>{pair.change:+.3f}</td>"
            f"<td>{escape(p_text(pair.p_corrected))}</td><td>{_badge('drifted' if pair.drifted else 'same')}</td></tr>"
            for pair in joint.pairs
        ]
        lines.append(
            '<div class="scroll"><table><thead><tr><th class="text">column</th><th class="text">with</th>'
            "<th>before</th><th>after</th><th>change</th><th>corrected p</th><th></th></tr></thead><tbody>"
            + "".join(rows) + "</tbody></table></div>"
        )
    return "\n".join(lines)


def _table(columns: list[ColumnDrift]) -> str:
    rows = []
    for each in columns:
        found, missing = each.distribution, each.missing
        cells = [
            f"{found.effect:.4f}" if found else "", escape(p_text(found.p_corrected)) if found else "",
            f"{found.smallest:.3f}" if found else "", f"{found.psi:.4f}" if found else "",
            f"{found.js:.4f}" if found else "",
            f"{found.wasserstein:.4f}" if found and found.wasserstein is not None else "",
            f"{missing.reference:.2%}" if missing else "", f"{missing.current:.2%}" if missing else "",
        ]
        rows.append(
            f'<tr><td class="text">{escape(each.column)}</td><td>{_badge(each.verdict, each.size)}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        )
    head = ("", "effect", "corrected p", "seen from", "PSI", "JS", "Wasserstein, sd", "empty before", "empty after")
    return (
        '<h2>All columns</h2>\n<div class="scroll"><table><thead><tr><th class="text">column</th>'
        + "".join(f"<th>{each}</th>" for each in head) + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _foot(report: DriftReport) -> str:
    return (
        '<footer class="soft"><p>A column drifted where its effect (KS distance for numbers, total variation for '
        "categories, the difference of the shares of empty cells) reaches its threshold <b>and</b> the p-value, "
        f"corrected by {escape(report.correction)} for {report.tests} tests, is below {report.alpha:g}. “Seen from” is "
        "the smallest true effect that these numbers of rows show with 95 % probability. Groups are fixed by the rows "
        "before: ten of about equal share, or the commonest categories.</p></footer>"
    )


def _breakable(name: str) -> str:
    """A name that may go on in the next line after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def _badge(verdict: str, size: str | None = None) -> str:
    return f'<span class="verdict {verdict}">{verdict}{f", {size}" if size else ""}</span>'


def _effect(each: ColumnDrift) -> float:
    effects = [part.effect for part in (each.distribution, each.missing) if part is not None]
    return max(effects, default=1.0)
