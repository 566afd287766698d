#!/usr/bin/env bash
# Builds everything with warnings as errors, checks the formatting and runs every test project under tests/.
# Needs the .NET 10 SDK and Node.js 20 or later. Run as root on Debian it installs the other programs that tests drive;
# otherwise it names those that are missing, and the tests that need them skip themselves with that reason.
# A check that fails (build, formatting, a project without tests, a run that crashed) counts as one failure.
# The last line is always "N passed, N failed", followed by ", N skipped" if any were; the exit code is 0 only without a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# command:Debian package, for programs that tests start; a path stands for a package without a command.
readonly programs=(
  curl:curl chromium:chromium firefox-esr:firefox-esr nginx:nginx-light haproxy:haproxy redis-server:redis-server
  /usr/lib/python3/dist-packages/websockets:python3-websockets gcc:gcc git:git)
# One run must end within 30 minutes on two cores; a hung test is ended in time to still report it.
readonly time_limit=1740
readonly results=artifacts/test-results

export LC_ALL=C.UTF-8 DOTNET_CLI_UI_LANGUAGE=en
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export TESTINGPLATFORM_TELEMETRY_OPTOUT=1 NUGET_XMLDOC_MODE=skip
# Build servers would outlive this script and hold its output open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false

passed=0 failed=0 skipped=0
problems=() skips=()

step() { printf '\n== %s\n' "$*"; }
problem() {
  printf 'FAILED: %s\n' "$*"
  problems+=("$*")
  failed=$((failed + 1))
}

finish() {
  local status=$?
  trap - EXIT
  # A test run that an interrupt left behind.
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  if ((status != 0 && failed == 0)); then problem "test.sh stopped early with exit code $status"; fi
  if ((${#skips[@]} > 0)); then
    printf '\n== Skipped\n'
    printf '%s\n' "${skips[@]}"
  fi
  if ((${#problems[@]} > 0)); then
    printf '\n== Failed\n'
    printf -- '- %s\n' "${problems[@]}"
  fi
  printf '\ntook %d s\n' "$SECONDS"
  printf '%d passed, %d failed' "$passed" "$failed"
  if ((skipped > 0)); then printf ', %d skipped' "$skipped"; fi
  printf '\n'
  exit $((failed > 0 ? 1 : 0))
}
trap finish EXIT

# Registries answer slowly or not at all now and then: try three times.
retry() {
  local try
  for try in 1 2 3; do
    if "$@"; then return 0; fi
    if ((try < 3)); then
      printf 'try %d of "%s" failed, again in %d s\n' "$try" "$*" $((try * 5))
      sleep $((try * 5))
    fi
  done
  return 1
}

install_programs() {
  local entry missing=() packages=()
  for entry in "${programs[@]}"; do
    if [[ ! -d ${entry%%:*} ]] && ! command -v "${entry%%:*}" >/dev/null; then
      missing+=("${entry%%:*}")
      packages+=("${entry#*:}")
    fi
  done
  if ((${#missing[@]} == 0)); then return 0; fi

  step "Programs for tests: ${missing[*]}"
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    printf 'not installed (that takes root and apt-get): %s\n' "${missing[*]}"
    printf 'tests that need one are skipped; to run them: sudo apt-get install %s\n' "${packages[*]}"
    return 0
  fi
  mkdir -p "$results"
  local log=$results/apt-get.log
  export DEBIAN_FRONTEND=noninteractive
  if retry apt-get -o DPkg::Lock::Timeout=300 -q update >"$log" 2>&1 &&
    retry apt-get -o DPkg::Lock::Timeout=300 -q install -y --no-install-recommends "${packages[@]}" >>"$log" 2>&1; then
    printf 'installed: %s\n' "${packages[*]}"
  else
    tail -n 20 "$log"
    printf 'could not be installed: %s; tests that need one are skipped\n' "${packages[*]}"
  fi
}

restore_npm() {
  local lock folder hash
  while IFS= read -r lock; do
    folder=$(dirname "$lock")
    if [[ ! -f $folder/package.json ]]; then continue; fi
    hash=$(sha256sum "$lock" "$folder/package.json" | sha256sum)
    if [[ -f $folder/node_modules/.restored && $(<"$folder/node_modules/.restored") == "$hash" ]]; then continue; fi
    step "npm ci in $folder"
    if ! command -v npm >/dev/null; then
      printf 'npm is missing; tests that need Node.js are skipped\n'
      continue
    fi
    # No install scripts: nothing here needs one, and one that fetches a binary has nowhere to fetch it from.
    if retry npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error; then
      mkdir -p "$folder/node_modules"
      printf '%s' "$hash" >"$folder/node_modules/.restored"
    else
      problem "npm ci in $folder"
    fi
  done < <(find tests samples -name node_modules -prune -o -name package-lock.json -print | sort)
}

# Reads one count from the attributes of the <assembly> element of an xunit report.
count() { sed -n "s/.*<assembly [^>]* $2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

# The failed tests of a log, each with the first lines of what it said: the list at the end must tell why, where the rest is cut off.
failures() {
  awk '
    /^failed / { on = 8; sub(/^failed /, names++ ? "- " : ""); sub(/ \([^()]*\)$/, ""); print; next }
    /^[^ ]/ { on = 0 }
    on && NF && !/ at FluentAssertions\./ { on--; print substr($0, 1, 500) }' "$1"
}

run_tests() {
  local name=$1 folder=tests/$1 assembly report log status=0 left
  step "$name"
  assembly=$(find "$folder/bin/Release" -maxdepth 2 -name "$name.dll" 2>/dev/null | head -n 1)
  if [[ -z $assembly ]]; then
    problem "$name: no $name.dll in $folder/bin/Release"
    return
  fi
  report=$PWD/$results/$name.xml log=$results/$name.log
  rm -f "$report"
  : >"$log"
  left=$((time_limit - SECONDS))
  if ((left < 1)); then
    problem "$name: not run, the time limit of $time_limit s is used up"
    return
  fi
  # Not through a pipe: a program that a test left behind would hold it open.
  timeout --kill-after=15 "$left" dotnet "$assembly" --no-ansi --progress off --show-slowest-tests 3 \
    --results-directory "$PWD/$results" --report-xunit-xml --report-xunit-xml-filename "$name.xml" </dev/null >"$log" 2>&1 &
  local pid=$!
  tail --pid="$pid" --sleep-interval=0.2 --lines=+1 --follow "$log"
  wait "$pid" || status=$?

  if ((status == 124 || status == 137)); then
    problem "$name: ended after $left s, the time limit of $time_limit s is used up"
    return
  fi
  if [[ ! -s $report ]]; then
    problem "$name: exit code $status and no report"
    return
  fi
  local p f e s
  p=$(count "$report" passed) f=$(count "$report" failed) e=$(count "$report" errors) s=$(count "$report" skipped)
  passed=$((passed + ${p:-0}))
  failed=$((failed + ${f:-0} + ${e:-0}))
  skipped=$((skipped + ${s:-0}))
  if ((${s:-0} > 0)); then
    skips+=("$(awk '/^skipped /{on=1; sub(/^skipped /, "- "); sub(/ \([^()]*\)$/, ""); print; next} /^[^ ]/{on=0} on' "$log")")
  fi
  if ((${f:-0} + ${e:-0} > 0)); then
    problems+=("$(failures "$log")")
  elif ((${p:-0} + ${s:-0} == 0)); then
    problem "$name: ran no test"
  elif ((status != 0)); then
    problem "$name: exit code $status"
  fi
}

# SECURITY.md names, in its table, the tests that show each defence: a class or a method. Each must have run, and passed.
check_named_tests() {
  step 'Tests that SECURITY.md names'
  local names line count=0
  names=$(sed -n 's/^|.*|\([^|]*\)|$/\1/p' SECURITY.md | grep -o '`RealtimeKit\.[A-Za-z0-9_.]*`' | tr -d '`' | sort -u)
  if [[ -z $names ]]; then
    problem 'SECURITY.md names no test'
    return
  fi
  while IFS= read -r line; do
    if [[ $line == ok* ]]; then count=${line#ok }; else problem "SECURITY.md: $line"; fi
  done < <(awk -v names="$names" '
    function attribute(text, name) {
      return match(text, " " name "=\"[^\"]*\"") ? substr(text, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
    }
    BEGIN { RS = "<test " }
    {
      # What follows the opening tag may quote anything.
      tag = " " substr($0, 1, index($0, ">"))
      type = attribute(tag, "type"); method = attribute(tag, "method"); result = attribute(tag, "result")
      if (type == "" || result == "") next
      if (result == "Pass") { passed[type]++; passed[type "." method]++ } else { other[type] = result; other[type "." method] = result }
    }
    END {
      total = split(names, list, "\n")
      for (i = 1; i <= total; i++) {
        if (list[i] in other) print list[i] ": " other[list[i]]
        else if (!(list[i] in passed)) print list[i] " did not run"
        else ran++
      }
      print "ok " ran + 0
    }' "$results"/*.xml)
  printf '%d of %d ran and passed\n' "$count" "$(wc -l <<<"$names")"
}

# A feed without advisories looks as one that knows of none. So it is asked first about a package that has one:
# Newtonsoft.Json 12.0.1 (GHSA-5crp-9r3c-p9vr), in a project of its own that nothing uses.
has_advisories() {
  local folder status=1
  folder=$(mktemp -d)
  printf '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include="Newtonsoft.Json" Version="12.0.1" /></ItemGroup></Project>' >"$folder/canary.csproj"
  if timeout 120 dotnet restore "$folder/canary.csproj" -v quiet -p:NuGetAudit=false >/dev/null 2>&1 &&
    timeout 60 dotnet list "$folder/canary.csproj" package --vulnerable 2>/dev/null | grep -q '^ *> Newtonsoft.Json'; then status=0; fi
  rm -rf "$folder"
  return $status
}

check_vulnerable_packages() {
  step 'Packages with known vulnerabilities'
  local log=$results/vulnerable.log
  if ! timeout 300 dotnet list RealtimeKit.sln package --vulnerable --include-transitive >"$log" 2>&1; then
    tail -n 5 "$log"
    printf 'not checked: no feed answers\n'
  elif grep -q '^ *>' "$log"; then
    grep -E 'has the following|^ *(>|\[)' "$log"
    problem 'a package has a known vulnerability'
  elif has_advisories; then
    printf 'none\n'
  else
    printf 'not checked: the feed has no list of advisories\n'
  fi
}

if ! command -v dotnet >/dev/null; then
  problem 'the .NET 10 SDK is missing: no dotnet on PATH'
  exit 1
fi
mkdir -p "$results"
install_programs
restore_npm

step 'Build (Release, warnings are errors)'
if ! retry dotnet restore RealtimeKit.sln -v quiet; then
  problem 'dotnet restore'
  exit 1
fi
# NU1900 and NU1905: the registry has no list of advisories. Offline that is no fault of the code.
if ! dotnet build RealtimeKit.sln -c Release --no-restore -v quiet -warnaserror '-warnnotaserror:NU1900;NU1905'; then
  problem 'dotnet build'
  exit 1
fi

check_vulnerable_packages

step 'dotnet format --verify-no-changes'
if ! dotnet format RealtimeKit.sln --verify-no-changes --no-restore; then
  problem 'dotnet format: run "dotnet format RealtimeKit.sln"'
fi

found=0
for project in tests/*.Tests/*.csproj; do
  if [[ ! -f $project ]]; then continue; fi
  found=1
  run_tests "$(basename "$project" .csproj)"
done
if ((found == 0)); then problem 'no test project in tests/'; fi
check_named_tests
