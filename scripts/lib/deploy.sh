# shellcheck shell=bash
# Puts a built project into a root file system: the embedded host's, or / on a real server (scripts/install).

DEPLOY_PARTS=(bin dist images slices package.json README.md LICENSE)

# deploy_stamp REPO: hash over all that decides what runs. Times and owners do not count.
deploy_stamp() {
  local part parts=()
  for part in "${DEPLOY_PARTS[@]}" package-lock.json; do [[ ! -e $1/$part ]] || parts+=("$part"); done
  tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go-w -cf - "${parts[@]}" | sha256sum | cut -d' ' -f1
}

# deploy_project REPO ROOT: /opt/berth, the `berth` command and the units. Sets DEPLOY_STAMP; changes nothing when
# that very content is there already.
deploy_project() {
  local repo=$1 root=${2%/} part new
  new=$root/opt/berth.new
  DEPLOY_STAMP=$(deploy_stamp "$repo")
  [[ $(cat "$root/opt/berth/.stamp" 2>/dev/null) != "$DEPLOY_STAMP" ]] || return 0
  rm -rf "$new" "$root/opt/berth.old"
  mkdir -p "$new"
  for part in "${DEPLOY_PARTS[@]}"; do [[ ! -e $repo/$part ]] || cp -a "$repo/$part" "$new/"; done
  deploy_modules "$repo" "$new"
  chown -hR 0:0 "$new"
  chmod -R u+rwX,go+rX,go-w "$new"
  deploy_units "$root/opt/berth/slices" "$new/slices" "$root/etc/systemd/system"
  # Last: a deployment that was killed before is done again.
  echo "$DEPLOY_STAMP" >"$new/.stamp"
  [[ ! -e $root/opt/berth ]] || mv -T "$root/opt/berth" "$root/opt/berth.old"
  mv -T "$new" "$root/opt/berth"
  rm -rf "$root/opt/berth.old"
  mkdir -p "$root/usr/local/bin"
  ln -sfn /opt/berth/bin/berth "$root/usr/local/bin/berth"
}

deploy_modules() {
  [[ -d $1/node_modules ]] || return 0
  local list
  list=$(production_modules "$1")
  [[ -n $list ]] || return 0
  (cd "$1" && xargs -r -d '\n' cp -a --parents -t "$2" -- <<<"$list")
}

# production_modules REPO: node_modules/… paths that are not for development only. A nested one whose parent is listed
# comes along with it. npm's hidden lock file says it in 50 ms; `npm ls` needs a second.
production_modules() {
  if [[ -f $1/node_modules/.package-lock.json ]]; then
    node -e '
      const fs = require("node:fs");
      process.chdir(process.argv[1]);
      const { packages } = JSON.parse(fs.readFileSync("node_modules/.package-lock.json", "utf8"));
      const wanted = Object.keys(packages).filter((path) => path && !packages[path].dev && fs.existsSync(path));
      const inside = (path) => wanted.some((other) => path.startsWith(other + "/node_modules/"));
      for (const path of wanted) if (!inside(path)) console.log(path);
    ' "$1"
  else
    (cd "$1" && npm ls --omit=dev --all --parseable) | sed -n "s|^$1/\(node_modules/.*\)|\1|p" | grep -v '/node_modules/.*/node_modules/' || true
  fi
}

# deploy_units OLD NEW TARGET: copies units, and takes away those that the last deployment brought and this one lacks.
deploy_units() {
  local unit
  mkdir -p "$3"
  for unit in "$1"/*.{slice,service,timer}; do
    [[ ! -f $unit || -f $2/${unit##*/} ]] || rm -f "$3/${unit##*/}"
  done
  for unit in "$2"/*.{slice,service,timer}; do
    [[ ! -f $unit ]] || install -m 0644 "$unit" "$3/"
  done
}
