"""Sinks: where records go beside the trail.

The trail itself is the spool. What a sink has taken is a small file beside it (its cursor), so that
a sink that is down delays its own records, and neither loses one nor stops anything.
"""
