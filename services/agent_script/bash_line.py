"""The portal's one line for bash: download, unpack, configure, run."""

from __future__ import annotations

from services.agent_script.packages import ARTICLE, Package, read_version
from services.agent_script.quoting import bash_word
from services.agent_script.registration import Option, Registration


def pieces(wanted: Registration, package: Package, folder: str | None = None) -> list[str]:
    """The line, cut after each command; joined they are the script. `folder` is another download address.

    Up to the article's time it is the portal's own text, byte for byte. For later versions it stops at the
    first command that fails, checks the server's certificate and quotes the machine's name.
    """
    portal = is_of_that_time(package) and package.rid.name not in wanted.checksums
    address = f"{folder or package.folder}/{package.file}"
    return (_portal if portal else _careful)(wanted, package, bash_word(address))


def is_of_that_time(package: Package) -> bool:
    """Of the article's line of versions."""
    return read_version(package.version)[0] == read_version(ARTICLE)[0]


def _portal(wanted: Registration, package: Package, address: str) -> list[str]:
    start = ["mkdir azagent;", "cd azagent;", f"curl -fkSL -o vstsagent.tar.gz {address};"]
    start.append("tar -zxvf vstsagent.tar.gz; ")
    config = _configure(wanted, "$HOSTNAME")
    if not wanted.service:
        return [*start, f"{config}; ", "./run.sh"]
    if package.rid.system == "osx":
        return [*start, f"{config}; ", "./svc.sh install; ", "./svc.sh start"]
    as_service = [f"{config} --runasservice; ", "sudo ./svc.sh install; ", "sudo ./svc.sh start; "]
    here = ['if [ -x "$(command -v systemctl)" ]; then ', *as_service]
    return [*start, *here, "else ", f"{config}; ", "./run.sh; ", "fi"]


def _careful(wanted: Registration, package: Package, address: str) -> list[str]:
    start = ["mkdir -p azagent && ", "cd azagent && ", f"curl -fSL -o vstsagent.tar.gz {address} && "]
    start += [*_checked(wanted, package), "tar -zxvf vstsagent.tar.gz && "]
    config = _configure(wanted, '"$HOSTNAME"')
    if not wanted.service:
        return [*start, f"{config} && ", "./run.sh"]
    if package.rid.system == "osx":
        return [*start, f"{config} && ", "./svc.sh install && ", "./svc.sh start"]
    as_service = [f"{config} && ", "sudo ./svc.sh install && ", "sudo ./svc.sh start; "]
    here = ['if [ -x "$(command -v systemctl)" ]; then ', *as_service]
    return [*start, *here, "else ", f"{config} && ", "./run.sh; ", "fi"]


def _checked(wanted: Registration, package: Package) -> list[str]:
    """The check of a given SHA-256; macOS has another program for it."""
    checksum = wanted.checksums.get(package.rid.name)
    program = "shasum -a 256" if package.rid.system == "osx" else "sha256sum"
    return [f"echo '{checksum}  vstsagent.tar.gz' | {program} -c - && "] if checksum else []


def _configure(wanted: Registration, own_name: str) -> str:
    agent = own_name if wanted.agent is None else bash_word(wanted.agent)
    words = ["./config.sh", *map(option_words, wanted.target_options()), "--acceptteeeula"]
    words += ["--agent", agent, "--url", bash_word(wanted.url), "--work", bash_word(wanted.work)]
    return " ".join(words + (["--replace"] if wanted.replace else []))


def option_words(option: Option) -> str:
    """`--pool "Default"`; a flag is its name alone."""
    if option.value is None:
        return f"--{option.name}"
    return f"--{option.name} {bash_word(option.value, in_quotes=option.named_by_people)}"
