"""What somebody has written for these days: to whom, what, when, and how far it is when the pictures are taken."""

from dataclasses import dataclass
from typing import Final

from domain.message import MessageState

_S = MessageState


@dataclass(frozen=True, slots=True)
class Letter:
    """A message. `letters`: what is typed to find `name`; `days`: from today; `late_ms`: how late it left."""

    letters: str
    name: str
    text: str
    clock: str
    days: int = 0
    state: MessageState = _S.SCHEDULED
    late_ms: int = 31


FIRST: Final = Letter(
    "gra", "Grandma", "Happy birthday, Grandma. *See you on Sunday*: I bring the cake, you bring the stories.", "09:00"
)
SENT_NOW: Final = Letter("mum", "Mum", "Landed. Call you when the bus is quiet.", "07:05", state=_S.READ, late_ms=27)
LETTERS: Final = {
    "grandma": FIRST,
    "mum": SENT_NOW,
    "lunch": Letter("sun", "Sunday lunch", "Lunch at one. Who brings bread?", "07:15", state=_S.DELIVERED, late_ms=18),
    "ben": Letter("ben", "Ben", "The keys are under the blue pot.", "07:20", state=_S.SENT, late_ms=44),
    "practice": Letter(
        "oka", "Dr. Okafor's practice", "Good morning, I need to move my appointment to Thursday.", "10:30"
    ),
    "camille": Letter("cam", "Camille", "The table is booked for two, by the window.", "12:00"),
    "leo": Letter("leo", "Leo, plumber", "Is today at four still good for you?", "15:45"),
    "priya": Letter("pri", "Priya", "Good luck tonight. You know all of it.", "18:00"),
    "hana": Letter("han", "Hana", "Good morning over there. Ready for the call at nine?", "21:30"),
    "anna": Letter("ann", "Anna Müller", "The train is at 08:52, platform 4.", "08:30", 1),
    "maya": Letter(
        "may", "Maya Lindqvist", "Congratulations on the last day. *Seven years*, and what years.", "17:00", 2
    ),
    "mum-later": Letter("mum", "Mum", "Merry Christmas from all of us.", "09:00", 31),
    "priya-before": Letter("pri", "Priya", "Your book is on the desk.", "18:30", -1, _S.READ, 22),
    "hana-before": Letter("han", "Hana", "Call me when you are up.", "21:30", -1, _S.DELIVERED, 36),
    "ben-before": Letter("ben", "Ben", "Can you bring the ladder on Saturday?", "08:00", -1, _S.READ, 29),
    "leo-before": Letter("leo", "Leo, plumber", "The tap drips again.", "03:11", -2, _S.UNCONFIRMED),
    "lunch-before": Letter("sun", "Sunday lunch", "Sunday at one, as always.", "10:00", -2, _S.READ, 24),
    "practice-before": Letter("oka", "Dr. Okafor's practice", "Are the results there?", "02:30", -3, _S.MISSED),
    "camille-before": Letter("cam", "Camille", "Shall we say eight?", "16:00", -3, _S.CANCELLED),
}
