"""Which pixels does an answer rest on?"""

from isocenter.data import Task

TASK = Task("explain", "Attribution", ("image",), ("completeness",), "Which pixels does an answer rest on?")
