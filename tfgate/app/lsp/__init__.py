"""What an editor is told of a rule while it is written: diagnostics, hover, completion.

Everything but `server` works on texts and places in them, without the protocol.
"""
