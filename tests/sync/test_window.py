"""The arithmetic of the window under any order of events."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.model import Seq
from sync.window import Window


class TestWindow:
    @given(st.lists(st.tuples(st.sampled_from(["send", "settle", "probe", "narrow"]), st.integers(0, 50))))
    def test_it_never_opens_beyond_its_width_and_never_skips(self, steps: list[tuple[str, int]]) -> None:
        window = Window(5, Seq(0))
        for step, number in steps:
            cursor = window.cursor
            if step == "send" and window.open:
                window.send(Seq(cursor + 1 + number % 3))
            elif step == "settle":
                window.settle(Seq(min(number, cursor)))
                assert window.through == min(number, cursor)
            elif step == "probe":
                window.probe()
                assert window.cursor == window.through
            elif step == "narrow":
                window.narrow()
            assert window.through <= window.cursor
            assert len(window._sent) <= 5
            assert window.waiting == (window.cursor > window.through)
