#!/usr/bin/env bash
# Tests, profiles and validates on this machine, out of the folder that `npm run pack:gpu` makes: needs no Node, network or registry.
#
#   run.sh OUTDIR [--backend cuda|cpu] [--link-rate RATE] [--minutes 8]
#
# Each part leaves its file in OUTDIR when it is done; started again, the script does the parts that are missing. Ctrl-C ends it in order.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  echo "usage: run.sh OUTDIR [--backend cuda|cpu] [--link-rate RATE] [--minutes N]; $1" >&2
  exit 2
}

[ $# -ge 1 ] && [ "${1#-}" = "$1" ] || usage "no OUTDIR is given"
out=$1
shift
backend=cuda minutes=8 link=()
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage "$1 needs a value"
  case $1 in
    --backend) backend=$2 ;;
    --link-rate) link=(--link-rate "$2") ;;
    --minutes) minutes=$2 ;;
    *) usage "unknown option $1" ;;
  esac
  shift 2
done
[ "$backend" = cuda ] || [ "$backend" = cpu ] || usage "the backend is $backend, expected cuda or cpu"
[[ $minutes =~ ^[0-9]{1,4}$ ]] && [ "$((10#$minutes))" -ge 1 ] || usage "--minutes is $minutes, expected a whole number from 1 to 9999"
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2

# What is done in OUTDIR already must be of the same device.
settings="--backend $backend${link[*]:+ ${link[*]}}"
if [ ! -e "$out/.settings" ]; then
  echo "$settings" >"$out/.settings" || exit 2
elif [ "$(cat "$out/.settings")" != "$settings" ]; then
  usage "$out was begun with $(cat "$out/.settings"), expected the same, not $settings"
fi

# What does not end when its time is over is killed a moment later.
grace=10
deadline=$((SECONDS + 60 * 10#$minutes - grace))
left() { echo $((deadline - SECONDS)); }

log() { echo "[$SECONDS s] $*" | tee -a "$out/run.log"; }

# The group of the part that runs, and what watches its time.
group='' watch=''
end_watch() {
  [ -n "$watch" ] || return
  pkill -P "$watch" 2>/dev/null
  kill "$watch" 2>/dev/null
  watch=''
}

interrupted() {
  trap '' INT TERM
  end_watch
  if [ -n "$group" ]; then
    kill -INT -- "-$group" 2>/dev/null
    for _ in $(seq $((5 * grace))); do
      kill -0 -- "-$group" 2>/dev/null || break
      sleep 0.2
    done
    kill -KILL -- "-$group" 2>/dev/null
  fi
  rm -f "$out"/*.part "$out"/.reports/*.part "$here/node.part"
  log "interrupted"
  exit 130
}
trap interrupted INT TERM

# part NAME FILE LIMIT COMMAND...: runs the command with its output in FILE, unless FILE is there; what fails leaves FILE.failed.
failures=0
part() {
  local name=$1 file=$2 limit=$3
  shift 3
  [ -e "$out/$file" ] && { log "$name: already done"; return; }
  local seconds=$(($(left) < limit ? $(left) : limit))
  [ "$seconds" -gt 5 ] || { log "$name: no time is left for it"; failures=$((failures + 1)); return; }
  local began=$SECONDS status=0
  # In a group of its own, so that all of it ends when its time is over.
  set -m
  # Programs that end in order when interrupted would leave the shell to go on with the next.
  (trap 'exit 130' INT && "$@") >"$out/$file.part" 2>>"$out/run.log" &
  group=$!
  set +m
  (sleep "$seconds" && kill -INT -- "-$group" && sleep "$grace" && kill -KILL -- "-$group") 2>/dev/null &
  watch=$!
  wait "$group" || status=$?
  group=''
  end_watch
  if [ "$status" = 0 ]; then
    mv "$out/$file.part" "$out/$file"
    rm -f "$out/$file.failed"
    log "$name: done in $((SECONDS - began)) s"
  else
    mv "$out/$file.part" "$out/$file.failed"
    # The tests' word for that there is nothing to test on.
    if [ "$status" = 77 ]; then
      log "$name: no CUDA device: $(sed -n 's/^skipped: //p' "$out/$file.failed")"
    else
      log "$name: failed with $status after $((SECONDS - began)) s; its output is in $file.failed"
    fi
    failures=$((failures + 1))
  fi
}

# Node comes compressed; it is unpacked once, beside the script.
node=$here/node
if [ ! -x "$node" ]; then
  unpack_by_python='import lzma,shutil,sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)'
  if [ -e "$here/node.xz" ] && { xz -dc "$here/node.xz" >"$node.part" 2>/dev/null || python3 -c "$unpack_by_python" "$here/node.xz" >"$node.part"; }; then
    chmod +x "$node.part" && mv "$node.part" "$node"
  else
    rm -f "$node.part"
    node=$(command -v node) || { log "no Node: node.xz is missing or cannot be unpacked"; exit 1; }
  fi
fi

# The addon and the tests were built where this folder was packed; where they do not load they are built here.
addon=$here/build/native/Release/splitpoint.node
loads() { "$node" -e 'require(process.argv[1])' "$addon" 2>>"$out/run.log"; }
if ! loads; then
  log "building the native code"
  cmake -S "$here/native" -B "$here/build/cmake" -DCMAKE_BUILD_TYPE=Release -DSPLITPOINT_TESTS=ON \
    -DCMAKE_JS_INC="$here/include" -DSPLITPOINT_CUDA_ARCHITECTURES="${SPLITPOINT_CUDA_ARCHITECTURES:-native}" >>"$out/run.log" 2>&1 &&
    cmake --build "$here/build/cmake" --parallel >>"$out/run.log" 2>&1 &&
    mkdir -p "$(dirname "$addon")" && cp "$here/build/cmake/splitpoint.node" "$addon" &&
    cp "$here"/build/cmake/*_tests "$here/build/"
  loads || { log "the native code could not be built; see run.log"; exit 1; }
fi

log "commit $(cat "$here/COMMIT"), backend $backend"
tests=$here/build/core_tests
[ "$backend" = cuda ] && tests=$here/build/cuda_tests

system() {
  uname -srm && lscpu && free -b
  if command -v nvidia-smi >/dev/null; then nvidia-smi -q && nvidia-smi topo -m; fi
  "$node" "$here/dist/cli/main.js" doctor
}

# Memory errors and races of the kernels, where the tool is present and knows the device.
sanitize() {
  local tool status=0
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -n 1)
  [ -n "$tool" ] || { echo "compute-sanitizer is not present"; return; }
  "$tool" --error-exitcode 1 "$tests" kernel && "$tool" --tool racecheck --error-exitcode 1 "$tests" "kernels attend" || status=$?
  if grep -q "Device not supported" "$out/sanitizer.txt.part"; then
    echo "compute-sanitizer does not work on this device"
    return
  fi
  return $status
}

# profile MINUTES
profile() {
  "$node" "$here/dist/cli/main.js" profile --backend "$backend" "${link[@]}" --minutes "$1" --out /dev/null --json "${scenarios[@]/#/--for=}"
}

# What comes of validations before all are done, one report each. They are of the profile that is there.
reports=$out/.reports

# One report a line.
validations() {
  local scenario report status=0
  mkdir -p "$reports"
  for scenario in "${scenarios[@]}"; do
    report=$reports/$(basename "$scenario" .yaml).json
    if [ ! -s "$report" ]; then
      if "$node" "$here/dist/cli/main.js" validate "$scenario" --backend "$backend" "${link[@]}" --machine "$out/profile.json" --json >"$report.part"; then
        mv "$report.part" "$report"
      else
        rm -f "$report.part"
        echo "$scenario failed" >&2
        status=1
        continue
      fi
    fi
    "$node" -e 'console.log(JSON.stringify(JSON.parse(fs.readFileSync(process.argv[1], "utf8"))))' "$report"
  done
  return $status
}

scenarios=("$here/scenarios/validate/$backend"/*.yaml)
part system system.txt 60 system
part tests tests.txt 150 "$tests"
[ "$backend" = cuda ] && part sanitizer sanitizer.txt 120 sanitize
[ -e "$out/profile.json" ] || rm -rf "$reports" "$out/validations.jsonl"
part profile profile.json 150 profile 1.65
if [ -e "$out/profile.json" ]; then
  # Measured behind the last of them, it shows how far the machine drifted meanwhile.
  [ -e "$out/validations.jsonl" ] || rm -f "$out/profile-after.json"
  part validations validations.jsonl $(($(left) - 75)) validations
  if [ -e "$out/validations.jsonl" ]; then rm -rf "$reports"; fi
  part "profile after" profile-after.json 75 profile 0.75
fi
log "$failures parts failed"
ls -l "$out"
[ "$failures" = 0 ]
