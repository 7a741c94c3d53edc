# shellcheck shell=sh
# Purpose "build": no sandbox, but where Berth collects the images of a profile and makes a preload of
# them. dockerd listens on a socket in /berth/build and nowhere else; on SIGUSR1 it ends, and what it
# holds is written to /berth/out/store.erofs. No program of any image is run.
#
# It runs as real root. In a user namespace dockerd leaves out the device nodes of an image, and marks
# directories that hide what is below them ("opaque") for user namespaces only.
# shellcheck disable=SC2154 # state comes from common.sh

sealing=

run_build() {
  for place in /berth/build /berth/out /data; do
    mountpoint -q $place || fail "nothing is mounted at $place, which a build needs"
  done
  mkdir -p "$state/build"
  cat >"$state/build/daemon.json" <<JSON
{
  "hosts": ["unix:///berth/build/docker.sock"],
  "containerd": "/run/containerd/containerd.sock",
  "data-root": "/data/docker",
  "exec-root": "/run/docker",
  "pidfile": "/run/docker.pid",
  "storage-driver": "overlay2",
  "log-level": "warn",
  "bridge": "none",
  "ip-forward": false,
  "iptables": false,
  "ip6tables": false
}
JSON
  (start_daemons --config-file "$state/build/daemon.json") &
  daemons=$!
  trap 'sealing=1; kill -s TERM "$daemons"' USR1
  trap 'kill -s TERM "$daemons"' TERM INT
  wait_for "$daemons"
  [ -n "$sealing" ] || exit "$status"
  [ "$status" -eq 0 ] || fail "the engine of the build ended with status $status"
  trap - TERM INT USR1
  seal
}

seal() {
  cd /data/docker || fail "the engine of the build left no data-root"
  drop_disk_node
  mark_opaque
  store=/data/store
  mkdir -p "$store/metadata" "$store/layers"
  for layer in overlay2/*; do
    [ -d "$layer/diff" ] || continue
    mv "$layer/diff" "$store/layers/${layer##*/}"
    mkdir "$layer/diff"
  done
  mv image overlay2 "$store/metadata/"
  # Whatever the operator's umask or dockerd's own: the data-root of a sandbox.
  chmod 0710 "$store/metadata"
  # With their times, owners, hard links, extended attributes and device nodes; not compressed, so that
  # sandboxes read it at the speed of the page cache.
  mkfs.erofs --quiet /berth/out/store.erofs "$store" >/dev/null || fail "mkfs.erofs failed"
  sync /berth/out/store.erofs
}

# On XFS dockerd keeps a node of the disk that it lies on, for quotas: the host's disk, and something that a
# sandbox could not copy. Layers are directories.
drop_disk_node() {
  find overlay2 -mindepth 1 -maxdepth 1 ! -type d -delete
}

# A user namespace reads user.overlay.*, everybody else trusted.overlay.* (overlayfs.rst, "User xattr").
# Directories alone, and no link is followed: an image may carry the attribute on whatever it likes, on a
# symbolic link to somewhere else too.
mark_opaque() {
  find overlay2 -type d -print0 >"$state/build/directories" || fail "the layers cannot be read"
  xargs -0 -r getfattr --no-dereference --absolute-names --match='^trusted\.overlay\.opaque$' --dump \
    <"$state/build/directories" >"$state/build/opaque" 2>/dev/null ||
    fail "the layers' attributes cannot be read"
  sed 's/^trusted\./user./' "$state/build/opaque" | setfattr --no-dereference --restore=- ||
    fail "opaque directories cannot be marked for user namespaces"
}
