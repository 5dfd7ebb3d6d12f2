"""A bash script that asks the machine which package it needs, and may be run again."""

from __future__ import annotations

from services.agent_script.bash_line import option_words
from services.agent_script.packages import Flavour, Package, Rid, rids_of
from services.agent_script.quoting import bash_word
from services.agent_script.registration import Registration

_SYSTEMS = ("linux", "osx")


def detecting_script(wanted: Registration, package: Package, folder: str | None = None) -> str:
    """`package` names version and flavour; `folder` is another place to download from."""
    rids = [rid for rid in rids_of(package.version, wanted.flavour) if rid.system in _SYSTEMS]
    archive = f"{wanted.flavour}-$rid-{package.version}.tar.gz"
    parts = [
        _HEAD,
        f"folder=azagent\naddress={bash_word(folder or package.folder)}\n",
        _REFUSE,
        _choice(rids, package.version, wanted.flavour),
        _checksum(wanted, rids),
        _DOWNLOAD.replace("@archive@", archive),
        _TOKEN,
        _configure(wanted),
        _main(wanted),
    ]
    return "\n".join(parts)


_HEAD = """\
#!/usr/bin/env bash
# Registers an Azure Pipelines agent with the package that fits this machine. It may be run again.
# The token comes from VSTS_AGENT_INPUT_TOKEN or is asked for; it is on no command line.
set -euo pipefail
"""

_REFUSE = """\
refuse() {
  printf 'No agent was registered: %s\\n' "$1" >&2
  exit 1
}

on_musl() {
  case "$(ldd --version 2>&1 || true)" in
    *musl*) return 0 ;;
    *) return 1 ;;
  esac
}
"""

_DOWNLOAD = """\
download() {
  local archive="@archive@"
  printf 'This machine is %s with %s-bit programs: %s\\n' "$(uname -m)" "$bits" "$archive"
  curl -fSL -o "$archive.part" "$address/$archive"
  verify "$archive.part"
  mv "$archive.part" "$archive"
  tar -zxf "$archive"
}
"""

_TOKEN = """\
ask_for_token() {
  if [ -z "${VSTS_AGENT_INPUT_TOKEN:-}" ]; then
    [ -t 0 ] || refuse 'set VSTS_AGENT_INPUT_TOKEN, or run this in a terminal.'
    read -rsp 'Token: ' VSTS_AGENT_INPUT_TOKEN || true
    printf '\\n'
    [ -n "$VSTS_AGENT_INPUT_TOKEN" ] || refuse 'no token was given.'
  fi
  export VSTS_AGENT_INPUT_TOKEN
}
"""


def _choice(rids: list[Rid], version: str, flavour: Flavour) -> str:
    """`uname -m` for the processor, `getconf LONG_BIT` for the programs on it, ldd for the C library."""
    there = {rid.name for rid in rids}

    def take(rid: str) -> str:
        return f"rid={rid}" if rid in there else f"refuse '{version} has no {flavour} for {rid}.'"

    return f"""\
choose() {{
  bits=$(getconf LONG_BIT 2>/dev/null || echo 64)
  case "$(uname -s)/$(uname -m)/$bits" in
    Linux/x86_64/64 | Linux/amd64/64) {take("linux-x64")} ;;
    Linux/aarch64/64 | Linux/arm64/64) {take("linux-arm64")} ;;
    Linux/aarch64/32 | Linux/arm64/32 | Linux/armv8l/* | Linux/armv7l/*) {take("linux-arm")} ;;
    Linux/armv6l/*) refuse 'armv6 (Pi Zero, first Pi) is not served: the agent crashes there.' ;;
    Darwin/x86_64/*) {take("osx-x64")} ;;
    Darwin/arm64/*) {take("osx-arm64")} ;;
    *) refuse "there is no agent for $(uname -s) $(uname -m) with $bits-bit programs." ;;
  esac
  if [ "$(uname -s)" = Linux ] && on_musl; then
    case "$rid" in
      linux-x64) {take("linux-musl-x64")} ;;
      linux-arm64) {take("linux-musl-arm64")} ;;
      *) refuse "there is no $rid package for musl." ;;
    esac
  fi
}}
"""


def _checksum(wanted: Registration, rids: list[Rid]) -> str:
    known = [
        f"    {rid.name}) wanted={wanted.checksums[rid.name]} ;;\n"
        for rid in rids
        if rid.name in wanted.checksums
    ]
    if not known:
        return "verify() {\n  printf 'No SHA-256 was given, so %s is not verified.\\n' \"$1\"\n}\n"
    cases = "".join(known)
    return f"""\
verify() {{
  local wanted
  case "$rid" in
{cases}    *)
      printf 'No SHA-256 was given for %s, so it is not verified.\\n' "$rid"
      return
      ;;
  esac
  if command -v sha256sum >/dev/null; then
    printf '%s  %s\\n' "$wanted" "$1" | sha256sum -c -
  else
    printf '%s  %s\\n' "$wanted" "$1" | shasum -a 256 -c -
  fi
}}
"""


def _configure(wanted: Registration) -> str:
    agent = '"$(hostname)"' if wanted.agent is None else bash_word(wanted.agent)
    lines = ["./config.sh --unattended --acceptteeeula", *map(option_words, wanted.target_options())]
    lines += [
        f"--agent {agent}",
        f"--url {bash_word(wanted.url)}",
        "--auth pat",
        f"--work {bash_word(wanted.work)}",
    ]
    lines += ["--replace"] if wanted.replace else []
    return "configure() {\n  " + " \\\n    ".join(lines) + "\n}\n"


def _main(wanted: Registration) -> str:
    again = """\
mkdir -p "$folder"
cd "$folder"
if [ -f .agent ]; then
  printf 'An agent is registered in %s already; it is left as it is.\\n' "$PWD"
else
  choose
  download
  ask_for_token
  configure
fi
unset VSTS_AGENT_INPUT_TOKEN
"""
    return again + (_SERVICE if wanted.service else "exec ./run.sh\n")


_SERVICE = """\
if [ "$(uname -s)" = Darwin ]; then
  [ -f .service ] || ./svc.sh install
  ./svc.sh start
elif command -v systemctl >/dev/null; then
  [ -f .service ] || sudo ./svc.sh install
  sudo ./svc.sh start
else
  exec ./run.sh
fi
"""
