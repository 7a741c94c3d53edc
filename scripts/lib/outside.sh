# shellcheck shell=bash
# What an installation has outside of /opt/berth, and the list of it, /opt/berth/.installed: "KIND NAME" a line, where
# KIND is file, link, directory (made for one of those) or package (installed from the distribution).

# outside_plan TREE: what belongs outside by that tree, "KIND TARGET SOURCE" a line.
outside_plan() {
  local tree=$1 file target
  for file in "$tree"/slices/*.{slice,service,timer}; do
    # Copied: systemd reads units before /opt need be there.
    [[ ! -f $file ]] || echo "file /etc/systemd/system/${file##*/} ${file#"$tree"/}"
  done
  echo "link /usr/local/bin/berth bin/berth"
  for file in "$tree"/dist/share/man/man[1-8]/*.[1-8]; do
    [[ ! -f $file ]] || echo "link /usr/local/share/${file#"$tree"/dist/share/} ${file#"$tree"/}"
  done
  # Where each shell looks without being told: fish, below /usr/local, only where XDG_DATA_DIRS says so.
  while read -r file target; do
    [[ ! -f $tree/dist/share/completions/$file ]] || echo "link $target dist/share/completions/$file"
  done <<'TARGETS'
berth.bash /usr/local/share/bash-completion/completions/berth
_berth /usr/local/share/zsh/site-functions/_berth
berth.fish /etc/fish/completions/berth.fish
TARGETS
}

# outside_list TREE: what an installed tree has outside; one of before there was a list has what it would put there.
outside_list() {
  if [[ -f $1/.installed ]]; then
    cat "$1/.installed"
  elif [[ -d $1 ]]; then
    outside_plan "$1" | cut -d' ' -f1,2
  fi
}

# outside_is_ours ROOT TARGET
outside_is_ours() {
  [[ $(readlink "$1$2") == /opt/berth/* ]] ||
    grep -qxF -e "file $2" -e "link $2" <<<"$(outside_list "$(deploy_there "$1")")"
}

# outside_check TREE ROOT: dies where something that is not Berth's is in the way.
outside_check() {
  local tree=$1 root=${2%/} target source
  while read -r _ target source; do
    [[ -e $root$target || -L $root$target ]] || continue
    outside_is_ours "$root" "$target" || cmp -s "$tree/$source" "$root$target" ||
      die "$target is there and not of an earlier installation: see what it is, and move it away"
  done < <(outside_plan "$tree")
}

# outside_put ROOT: makes what is outside agree with /opt/berth. Everything is listed before it is made, so that a kill
# in between leaves nothing that an uninstall does not know.
outside_put() {
  local root=${1%/} list kind target source before
  list=$root/opt/berth/.installed
  before=$(cat "$list" 2>/dev/null) || true
  {
    [[ -z $before ]] || echo "$before"
    outside_plan "$root/opt/berth" | while read -r kind target source; do
      missing_directories "$root" "${target%/*}"
      echo "$kind $target"
    done
  } | outside_write "$list"
  while read -r kind target source; do
    mkdir -p "$root${target%/*}"
    case $kind in
      file) cmp -s "$root/opt/berth/$source" "$root$target" || install -m 0644 "$root/opt/berth/$source" "$root$target" ;;
      link) ln -sfn "/opt/berth/$source" "$root$target" ;;
    esac
  done < <(outside_plan "$root/opt/berth")
  outside_prune "$root" "$list"
}

# outside_prune ROOT LIST: takes away what an earlier version brought and this one lacks.
outside_prune() {
  local kept listed kind name
  kept=$(outside_plan "$1/opt/berth" | cut -d' ' -f1,2)
  listed=$(<"$2")
  while read -r kind name; do
    if [[ $kind == file || $kind == link ]] && ! grep -qxF "$kind $name" <<<"$kept"; then
      # By now it may be of the other kind.
      grep -q " $name$" <<<"$kept" || outside_remove_one "$1" "$kind" "$name"
    else
      echo "$kind $name"
    fi
  done <<<"$listed" | outside_write "$2"
}

# outside_remove ROOT: all of it, the directories too if nothing else is in them.
outside_remove() {
  local root=${1%/} list kind name
  list=$(outside_list "$root/opt/berth")
  while read -r kind name; do
    [[ $kind != file && $kind != link ]] || outside_remove_one "$root" "$kind" "$name"
  done <<<"$list"
  sed -n 's/^directory //p' <<<"$list" | sort -r | while read -r name; do
    rmdir "$root$name" 2>/dev/null || true
  done
}

# A link that somebody made lead elsewhere is theirs.
outside_remove_one() {
  [[ $2 != link || $(readlink "$1$3") == /opt/berth/* ]] || return 0
  rm -f "$1$3"
}

# outside_note ROOT KIND NAME...
outside_note() {
  local list=${1%/}/opt/berth/.installed kind=$2 name
  shift 2
  { [[ ! -f $list ]] || cat "$list" && for name in "$@"; do echo "$kind $name"; done; } | outside_write "$list"
}

# outside_noted TREE KIND: the names.
outside_noted() { outside_list "$1" | sed -n "s/^$2 //p"; }

# Whole or not at all, and each line once.
outside_write() {
  sort -u >"$1.new"
  mv "$1.new" "$1"
}

# missing_directories ROOT DIRECTORY: those that would have to be made.
missing_directories() {
  local dir=$2
  while [[ -n $dir && ! -d $1$dir ]]; do
    echo "directory $dir"
    dir=${dir%/*}
  done
}
