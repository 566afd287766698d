#!/usr/bin/env bash
# Fuzzes every target for so many CPU minutes (60 unless given), in turns of 5, counting what LOG.md has: it can be stopped and started again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dotnet build tests/Fuzzing -c Release -v quiet
exec nice -n 5 dotnet tests/Fuzzing/bin/Release/net10.0/RealtimeKit.Fuzzing.dll run all --cpu-minutes "${1:-60}" --piece 5 --input-seconds 60 --resume
