#!/bin/bash
# Runs the agent in the foreground.
cd "$(dirname "$0")" || exit 1
exec ./bin/Agent.Listener run
