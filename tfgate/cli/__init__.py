"""."""

from tfgate.cli.later import put_off_all

put_off_all()
