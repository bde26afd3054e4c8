class JMESPathError(ValueError): ...

class ParseError(JMESPathError):
    lex_position: int
    token_value: str | None

class IncompleteExpressionError(ParseError): ...

class LexerError(ParseError):
    message: str

class EmptyExpressionError(JMESPathError): ...
