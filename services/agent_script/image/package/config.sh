#!/bin/bash
#
# config.sh of the lab's own agent package.
#
# It does what Microsoft's does with the program of the package: look at what is around it, then start
# bin/Agent.Listener with the arguments that it was given. It checks no processor, as the real one does
# not, so a wrong package is only noticed when the kernel reads the program's header.
#
# The command stands on line 85, where it stands in the package of 2.173.0, because people look for
# that number. (In packages of today it is another line.)
#
# Nothing of this is Microsoft's text.

agent_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
listener="bin/Agent.Listener"

say() {
  printf '%s\n' "$*"
}

complain() {
  printf '%s\n' "$*" >&2
}

usage() {
  say "config.sh [options]"
  say ""
  say "  --url <organisation>            where to register"
  say "  --agent <name>                  name of the agent"
  say "  --work <folder>                 where jobs work"
  say "  --pool <name>                   an agent pool"
  say "  --deploymentpool --deploymentpoolname <name>"
  say "  --deploymentgroup --deploymentgroupname <name> --projectname <project>"
  say "  --environment --environmentname <name> --projectname <project>"
  say "  --acceptteeeula                 accept the licence without being asked"
  say ""
  say "Any option may come from VSTS_AGENT_INPUT_<NAME>; a token should."
}

check_folder() {
  case "$agent_folder" in
    *[[:space:]]*)
      complain "The path of the agent has a space in it: $agent_folder"
      return 1
      ;;
  esac
}

check_package() {
  if [ ! -f "$listener" ]; then
    complain "There is no $listener here: was the package unpacked?"
    return 1
  fi
  if [ ! -x "$listener" ]; then
    complain "$listener may not be executed: was the package unpacked by another user?"
    return 1
  fi
}

wants_help() {
  local word
  for word in "$@"; do
    case "$word" in
      -h | --help | help) return 0 ;;
    esac
  done
  return 1
}

cd "$agent_folder" || exit 1

if wants_help "$@"; then
  usage
  exit 0
fi

check_folder || exit 1
check_package || exit 1


if [ "${1:-}" = "remove" ]; then
    complain "Nothing is registered anywhere: there is nothing to remove."
    exit 1
else
    ./bin/Agent.Listener configure "$@"
fi
