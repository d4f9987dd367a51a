#!/usr/bin/env bash
# Shows that the simulation finds what it should: plants one bug after the other in a copy of the
# sources and expects the simulation to fail.
#
#   tests/simulation/planted.sh [NAME]     one of them, or all
#   QUEUEPULSE_SCHEDULES                   how many schedules may be needed (default 2000)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
copy=$target/planted
wanted=${1:-}
failed=0

# Name, file, what stands there, what stands there instead.
plant() {
  local name=$1 file=$2 right=$3 wrong=$4
  [[ -z $wanted || $wanted == "$name" ]] || return 0
  rm -rf "$copy"
  mkdir -p "$copy"
  git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
  python3 - "$copy/$file" "$right" "$wrong" <<'PYTHON'
import sys
path, right, wrong = sys.argv[1:]
text = open(path).read()
if text.count(right) != 1:
    sys.exit(f"{path}: the planted bug no longer fits; {right!r} stands there {text.count(right)} times")
open(path, "w").write(text.replace(right, wrong))
PYTHON
  # A package of another name: its artifacts must never be taken for those of the right one.
  sed -i 's/^name = "queuepulse"$/name = "queuepulse-planted"/; /^default-run/d' "$copy/Cargo.toml"
  printf '\n[lib]\nname = "queuepulse"\n' >>"$copy/Cargo.toml"
  printf '%-40s' "$name"
  local log=$target/planted.log
  if (cd "$copy" && CARGO_TARGET_DIR=$target RUST_BACKTRACE=0 cargo test --quiet --test simulation) >"$log" 2>&1; then
    echo 'NOT found'
    failed=1
  elif grep -q QUEUEPULSE_SEED "$log"; then
    echo "found: $(grep -m1 -B1 'QUEUEPULSE_SEED' "$log" | tr '\n' ' ')"
  else
    echo 'does not build:'
    tail -n 20 "$log"
    failed=1
  fi
}

plant 'a late fact goes last' src/engine/contact/record.rs \
  'Some(last) if !comes_first(last) => self.records.partition_point(comes_first),' \
  'Some(last) if !comes_first(last) => self.records.len(),'
plant 'a duplicate counts again' src/engine/contact/identity.rs \
  '(false, false) => facts.id(a) == facts.id(b),' \
  '(false, false) => false,'
plant 'a settled contact is forgotten' src/engine/partition/contacts.rs \
  'if self.prints.contains(key, core.stream, retain) {' \
  'if false {'
plant 'an agent'"'"'s late fact goes last' src/engine/agent/history.rs \
  'let at = if self.is_newest(&fact) {' \
  'let at = if self.is_newest(&fact) || fact.rank == 2 {'
plant 'a snapshot turns the free slots round' src/engine/partition/contacts/image.rs \
  'free: image.free.into_owned(),' \
  'free: image.free.iter().rev().copied().collect(),'
plant 'a snapshot forgets a deadline' src/engine/partition/contacts/image.rs \
  'filter(|(_, wakes)| *wakes < Millis::MAX)' \
  'filter(|(slot, wakes)| *slot > 0 && *wakes < Millis::MAX)'
plant 'a view gives numbers' src/engine/agent/mod.rs \
  '            work.name_ahead(names);
' ''
plant 'a snapshot of another log is taken' src/recovery/choice.rs \
  'Found::Record(found) if found == last => Ok(()),' \
  'Found::Record(_) => Ok(()),'
exit $failed
