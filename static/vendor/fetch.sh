#!/bin/sh
# Takes the files that VENDOR.md lists out of their npm packages again, and checks them. Needs npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
npm pack --silent socket.io-client@4.8.4 >/dev/null
tar xzf socket.io-client-4.8.4.tgz
cp package/dist/socket.io.esm.min.js "$here/socket.io-client-4.8.4.esm.min.js"
cp package/LICENSE "$here/socket.io-client-4.8.4.LICENSE"
npm pack --silent uplot@1.6.32 >/dev/null
rm -r package && tar xzf uplot-1.6.32.tgz
cp package/dist/uPlot.iife.min.js "$here/uplot-1.6.32.iife.min.js"
cp package/LICENSE "$here/uplot-1.6.32.LICENSE"
sed -n 's/^| \([^ ]*\) |.* \([0-9a-f]\{64\}\) |$/\2  \1/p' "$here/VENDOR.md" | (cd "$here" && sha256sum -c)
