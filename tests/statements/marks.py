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
    for node in list(ast.walk(tree)):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):  # those of a lambda and of "x if y else z" are expressions
                setattr(node, name, list(_marked(statements, first)))
        # The lines of these two count as run where what is below them is.
        if isinstance(node, ast.ExceptHandler):
            node.body.insert(0, _mark(first + node.lineno, node))
        elif isinstance(node, ast.match_case):
            node.body.insert(0, _mark(first + node.pattern.lineno, node.pattern))
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
