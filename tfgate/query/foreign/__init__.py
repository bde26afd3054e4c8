"""What authors write who come from other languages, and the JMESPath form of it.

Only asked after an expression was refused: `correct` where the parser stopped, `foreign_call` where
there is no such function. Nothing that is JMESPath is ever changed.
"""

from tfgate.query.foreign.correct import Correction, correct, one_line
from tfgate.query.foreign.functions import foreign_call
from tfgate.query.foreign.tokens import single_quoted

__all__ = ["Correction", "correct", "foreign_call", "one_line", "single_quoted"]
