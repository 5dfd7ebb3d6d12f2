"""The page keeps its own policy: nothing inline, no markup out of texts, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").glob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
VENDORED = sorted((ROOT / "static" / "vendor").glob("*.js"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|eval)\b"
)


def name(file):
    return file.name


@pytest.mark.parametrize("file", TEMPLATES, ids=name)
def test_templates_have_no_inline_script_style_or_handler(file):
    text = file.read_text()
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=", text)
    for tag, body in re.findall(r"(<script\b[^>]*>)(.*?)</script>", text, re.DOTALL):
        assert "src=" in tag
        assert not body.strip()


@pytest.mark.parametrize("file", TEMPLATES, ids=name)
def test_templates_never_mark_a_text_as_safe(file):
    assert not re.search(r"\|\s*safe|autoescape false|Markup", file.read_text())


@pytest.mark.parametrize("file", SCRIPTS, ids=name)
def test_scripts_never_make_markup_out_of_text(file):
    assert not MARKUP.search(file.read_text())


@pytest.mark.parametrize("file", SCRIPTS, ids=name)
def test_scripts_never_set_a_style_attribute(file):
    assert not re.search(r"""["'{,]\s*style\s*:|setAttribute\(\s*["']style""", file.read_text())


@pytest.mark.parametrize("file", SCRIPTS, ids=name)
def test_only_the_socket_module_knows_socket_io(file):
    assert ("socket.io" in file.read_text().lower().replace("socket.io.", "")) == (file.name == "socket.js")


@pytest.mark.parametrize("file", [*TEMPLATES, *SCRIPTS, *STYLES], ids=name)
def test_nothing_is_loaded_from_elsewhere(file):
    addresses = re.findall(r"""(?:https?:)?//[\w.-]+\.\w{2,}[^\s"'`]*""", file.read_text())
    assert [
        address for address in addresses if "www.w3.org" not in address and "127.0.0.1" not in address
    ] == []


@pytest.mark.parametrize("file", STYLES, ids=name)
def test_every_class_that_is_styled_is_used(file):
    pages = "\n".join(other.read_text() for other in [*TEMPLATES, *SCRIPTS, *VENDORED])
    classes = set(
        re.findall(
            r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|\d\.\d+|url\(.*?\)", "", file.read_text(), flags=re.DOTALL)
        )
    )
    assert {
        one for one in classes if not re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", pages)
    } - numbered() == set()


def numbered():
    """Made of a number or a state's name when the page runs."""
    kinds = ("held", "waiting", "orphan", "refused")
    return (
        {f"r{n}" for n in range(1, 9)}
        | {f"bar-{kind}" for kind in kinds}
        | {f"badge-{kind}" for kind in kinds}
    )
