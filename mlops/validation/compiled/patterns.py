"""Regular expressions as Python means them, for Polars' engine where it can say the same.

Rust's engine has neither look-around nor references back, and its classes differ in a few letters. So a pattern is
taken apart by Python's own parser and written again from the parts that mean the same in both; any other pattern is
run by Python's `re`, value by value. SQL's LIKE patterns are written as such expressions.
"""

from __future__ import annotations

import re
from typing import Any

_CLASSES = {
    "CATEGORY_DIGIT": r"\p{Nd}", "CATEGORY_NOT_DIGIT": r"\P{Nd}",
    "CATEGORY_SPACE": r"\s\x1c-\x1f", "CATEGORY_WORD": r"\p{L}\p{N}_",
}
_NEGATED = {"CATEGORY_NOT_SPACE": r"\s\x1c-\x1f", "CATEGORY_NOT_WORD": r"\p{L}\p{N}_"}
_FOREIGN = re.compile(r"\[\[|\[:|&&|--|\|\||~~|\\[pPQEzChHkgK]|\(\?<[^=!]|\\x\{")
"""What other engines (the one that pandas prefers among them) understand in another way than Python."""


class Untranslatable(Exception):
    """The pattern uses something that only Python's engine has."""


def foreign(pattern: str) -> bool:
    """Whether the pattern does not mean the same to Python and to the engine that pandas prefers."""
    try:
        re.compile(pattern)
    except re.error:
        return True
    return _FOREIGN.search(pattern) is not None or re.search(r"[*+?}]\+|\(\?>|\(\?#", pattern) is not None


def to_rust(pattern: str) -> str:
    """The pattern for Rust's engine, meaning the same for a search.

    Raises:
        Untranslatable: it cannot be said there.
    """
    from re import _parser  # type: ignore[attr-defined]  # what `re` itself parses with; there is no public name

    parsed = _parser.parse(pattern)
    flags = parsed.state.flags & ~re.UNICODE
    if flags & ~re.DOTALL:
        raise Untranslatable("flags")
    return _sequence(parsed, bool(flags & re.DOTALL), last=True)


def _sequence(items: Any, dotall: bool, *, last: bool) -> str:
    listed = list(items)
    return "".join(
        _item(str(kind), argument, dotall, last=last and number == len(listed) - 1)
        for number, (kind, argument) in enumerate(listed)
    )


def _item(kind: str, argument: Any, dotall: bool, *, last: bool) -> str:
    if kind == "LITERAL":
        return _literal(argument)
    if kind == "NOT_LITERAL":
        return f"[^{_literal(argument)}]"
    if kind == "ANY":
        return r"(?s:.)" if dotall else r"[^\n]"
    if kind == "IN":
        return _class(argument)
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(kind, argument, dotall)
    if kind == "SUBPATTERN":
        _, added, removed, inner = argument
        if added or removed:
            raise Untranslatable("flags in a group")
        return f"(?:{_sequence(inner, dotall, last=last)})"
    if kind == "BRANCH":
        return "(?:" + "|".join(_sequence(branch, dotall, last=last) for branch in argument[1]) + ")"
    if kind == "AT":
        return _place(str(argument), last)
    raise Untranslatable(kind)


def _place(where: str, last: bool) -> str:
    if where in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return r"\A"
    if where == "AT_END_STRING":
        return r"\z"
    if where == "AT_END" and last:
        return r"\n?\z"  # Python's $ stands before a last line end too
    raise Untranslatable(where)


def _repeat(kind: str, argument: Any, dotall: bool) -> str:
    low, high, inner = argument
    most = "" if str(high) == "MAXREPEAT" else int(high)
    if max(low, most or 0) > 1000:
        raise Untranslatable("many repeats")
    text = _sequence(inner, dotall, last=False)
    return f"(?:{text}){{{low},{most}}}" + ("?" if kind == "MIN_REPEAT" else "")


def _class(items: Any) -> str:
    negated, parts = False, []
    for kind, argument in items:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            parts.append(_literal(argument))
        elif name == "RANGE":
            parts.append(f"{_literal(argument[0])}-{_literal(argument[1])}")
        elif name == "CATEGORY" and str(argument) in _CLASSES:
            parts.append(_CLASSES[str(argument)])
        elif name == "CATEGORY" and str(argument) in _NEGATED and len(items) == 1:
            return f"[^{_NEGATED[str(argument)]}]"
        else:
            raise Untranslatable(name)
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _literal(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise Untranslatable("half of a letter")
    return chr(code) if chr(code).isascii() and chr(code).isalnum() else f"\\x{{{code:x}}}"


def like(pattern: str, escape: str | None) -> str:
    """A LIKE pattern of SQL as a regular expression over the whole text: `%` is any text, `_` any one letter.

    Raises:
        ValueError: the escape is no single letter, or ends the pattern.
    """
    if escape is not None and len(escape) != 1:
        raise ValueError("escape must be a single character")
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == escape:
            following = next(letters, None)
            if following is None:
                raise ValueError("the pattern ends with its escape character")
            parts.append(_literal(ord(following)))
        else:
            parts.append({"%": "(?s:.*)", "_": "(?s:.)"}.get(letter) or _literal(ord(letter)))
    return rf"\A{''.join(parts)}\z"
