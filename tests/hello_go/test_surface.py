"""What an intruder would find, counted out of an image's files."""

from services.engines.base import File
from services.hello_go.surface import survey


def test_a_shell_a_compiler_and_the_source_are_found_where_they_are():
    found = survey(
        [
            File("bin/busybox", 0o755, 2_000_000),
            File("bin/sh", 0o777, 0, link="busybox"),
            File("bin/su", 0o4755, 100),
            File("usr/local/go/bin/go", 0o755, 9),
            File("build/hello-go.go", 0o644, 300),
            File("etc/passwd", 0o644, 80),
        ],
        user="",
    )
    assert (found.files, found.links, found.executables, found.commands) == (5, 1, 3, 4)
    assert (found.setuid, found.setuid_paths) == (1, ["/bin/su"])
    assert (found.shell, found.compiler, found.package_manager) == ("/bin/sh", "/usr/local/go/bin/go", None)
    assert (found.source, found.user) == ("/build/hello-go.go", "root")


def test_an_image_of_one_program_offers_nothing_else():
    found = survey([File("app/hello-go", 0o755, 5_800_000)], user="65532:65532")
    assert (found.files, found.executables, found.commands, found.setuid) == (1, 1, 0, 0)
    assert found.shell is found.compiler is found.source is found.package_manager is None
    assert found.user == "65532:65532"
    assert [survey([], user=user).user for user in ("0", "root", "0:0")] == ["root"] * 3
