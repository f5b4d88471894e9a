"""Code with marks: before each statement stands one that notes that its line is run."""

import ast
from collections.abc import Iterable, Iterator
from types import CodeType

# The bytes that the marks set, among Python's builtins. A name that ends in underscores too is the same in a class.
NAME = "__statements__"


def compile_with_marks(source: str, path: str, first: int) -> CodeType:
    """Return the code of a module. first: the place, among all bytes, of the one that would be line 0's.

    SyntaxError if it has ``from __future__ import``, before which nothing may stand.
    """
    tree = ast.parse(source, path)
    nodes = list(ast.walk(tree))
    for node in nodes:
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):  # those of a lambda and of "x if y else z" are expressions
                setattr(node, name, list(_marked(statements, first)))
    for node in nodes:
        # The line of a clause was run if this one or a later one fits.
        clauses: list[ast.ExceptHandler | ast.match_case] = [
            *getattr(node, "handlers", ()),
            *getattr(node, "cases", ()),
        ]
        for number, clause in enumerate(clauses, 1):
            heads = [one.pattern if isinstance(one, ast.match_case) else one for one in clauses[:number]]
            clause.body[:0] = [_mark(first + head.lineno, head) for head in heads]
    return compile(tree, path, "exec", dont_inherit=True)


def _marked(statements: Iterable[ast.stmt], first: int) -> Iterator[ast.stmt]:
    for statement in statements:
        # A constant alone is no code, and a docstring must stay the first of its body.
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
            for line in dict.fromkeys((*(one.lineno for one in decorators), statement.lineno)):
                yield _mark(first + line, statement)
        yield statement


def _mark(place: int, beside: ast.stmt | ast.ExceptHandler | ast.pattern) -> ast.stmt:
    (mark,) = ast.parse(f"{NAME}[{place}] = 1").body
    for node in ast.walk(mark):
        ast.copy_location(node, beside)
    return mark
