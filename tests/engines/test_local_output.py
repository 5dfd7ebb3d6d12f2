"""The output file of a local process is bounded by giving back what was read, and nothing unread is lost."""

import pytest

from services.engines import local_streams
from services.engines.local_streams import OutputStream

pytestmark = pytest.mark.local


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(local_streams, "KEEP_READ", 64 * 1024)


@pytest.fixture
def output(tmp_path, small):
    path = tmp_path / "output.log"
    path.write_text("".join(f"line {number} {'.' * 80}\n" for number in range(10_000)))
    return path


def read(path, after=None):
    return list(OutputStream(path, after, lambda: False))


def on_disk(path):
    return path.stat().st_blocks * 512


def test_what_was_read_is_given_back_to_the_disk(output):
    before = on_disk(output)
    lines = read(output)
    assert [line.text.split()[1] for line in lines] == [str(number) for number in range(10_000)]
    assert before > 800_000 and on_disk(output) <= 3 * 64 * 1024
    assert output.stat().st_size > 800_000  # offsets stay what they were


def test_a_reader_goes_on_behind_what_is_gone(output):
    lines = read(output)
    near_the_end = lines[9_990]
    assert read(output, near_the_end.cursor) == lines[9_991:]


def test_a_reader_from_the_start_is_told_that_older_output_is_gone(output):
    lines = read(output)
    again = read(output)
    assert "older output are gone" in again[0].text
    assert again[1:] == lines[-len(again) + 1 :] and 100 < len(again) < 2_000


def test_what_nobody_has_read_stays(output):
    stream = OutputStream(output, None, lambda: False)
    first = next(iter(stream))
    stream.close()
    assert first.text.startswith("line 0 ")
    assert len(read(output)) == 10_000


def test_what_is_not_text_comes_as_replacement_characters(tmp_path):
    path = tmp_path / "output.log"
    path.write_bytes(b"gr\xfc\xdfe\r\nnext\n")
    assert [line.text for line in read(path)] == ["gr��e", "next"]
