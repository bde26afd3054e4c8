"""What an expression can come to, from the shape of the document alone.

`infer` walks an expression's tree with shapes in place of values, and remarks on what cannot be
meant: a field that no such document has, a list used as an object, a comparison that never holds,
an argument that may make a function fail. What is not certain is not remarked on.
"""

from __future__ import annotations

from tfgate.query.shapes.env import Remark, RemarkKind
from tfgate.query.shapes.facts import Facts
from tfgate.query.shapes.infer import Inference, Names, infer
from tfgate.query.shapes.shape import ANY, Shape, of_value, union

__all__ = [
    "ANY",
    "Facts",
    "Inference",
    "Names",
    "Remark",
    "RemarkKind",
    "Shape",
    "infer",
    "of_value",
    "union",
]
