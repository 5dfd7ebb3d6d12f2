#!/bin/bash
# install, start, stop, status: the lab's service is a process in the background, not a unit of systemd.
cd "$(dirname "$0")" || exit 1
name="vsts.agent.rehearsal"

failed() {
  echo "Failed: $1" >&2
  exit 1
}

case "${1:-}" in
  install)
    [ -f .agent ] || failed "there is no .agent here: configure first."
    echo "$name" > .service
    echo "$name is installed (in this rehearsal only)."
    ;;
  start)
    [ -f .service ] || failed "$name is not installed."
    ./run.sh &
    echo "$!" > .pid
    echo "$name: active (running), process $!"
    ;;
  stop)
    [ -f .pid ] && kill "$(cat .pid)"
    ;;
  status)
    if [ -f .pid ] && kill -0 "$(cat .pid)" 2>/dev/null; then echo "active (running)"; else echo "inactive"; fi
    ;;
  *)
    failed "svc.sh takes install, start, stop or status."
    ;;
esac
