"""What a command ends with."""

GOOD, FAILED, ERROR, STOPPED = 0, 1, 2, 130
