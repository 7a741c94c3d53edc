# shellcheck shell=bash
# Telling a process from a later one with the same number.

# process_start PID: field 22 of stat. The command name (field 2) may hold spaces and brackets, so cut behind its last one.
process_start() {
  local stat fields
  # Not $(<file): on a missing file bash 5.2 ends the whole shell there, even before ||.
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  # A zombie has been killed already and only waits for its parent.
  [[ ${fields[0]} != Z ]] || return 1
  REPLY=${fields[19]}
}

same_process() { process_start "$1" && [[ $REPLY == "$2" ]]; }
