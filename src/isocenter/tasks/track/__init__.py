"""Where does it go?"""

from isocenter.data import Task

TASK = Task(
    "track",
    "Tracks",
    ("image",),
    ("tra", "det", "seg", "lnk", "mota", "idf1", "hota", "f1_8px", "link_recall"),
    "Where does it go?",
)
