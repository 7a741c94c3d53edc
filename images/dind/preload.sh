# shellcheck shell=sh
# The preload: images of the profile, in a store that all its sandboxes read and none copies. It is
# mounted at /preload, read-only; build.sh wrote it:
#   metadata/            a data-root of dockerd without its layers' content
#   layers/<layer>/      the content, to be mounted at overlay2/<layer>/diff
# shellcheck disable=SC2154 # state comes from common.sh

# Gives dockerd the metadata, once, and mounts the layers that the user has not removed since. Run by
# whom the sandbox belongs to, in the mount namespace of the daemons: only so may dockerd unmount them.
lay_preload() {
  [ -d /preload/layers ] || return 0
  if [ ! -d /data/docker/overlay2 ]; then
    # Whole or not at all: half a copy would be taken for a store from which images were removed.
    rm -rf /data/docker.new
    cp -a /preload/metadata /data/docker.new
    mkdir -p /data/docker
    rmdir /data/docker
    mv /data/docker.new /data/docker
  fi
  # dockerd binds its data-root onto itself unless it is a mount, and would hide what lies below.
  mount --bind /data/docker /data/docker
  mount --make-private /data/docker
  for layer in /preload/layers/*; do
    [ ! -d "/data/docker/overlay2/${layer##*/}/diff" ] ||
      echo "$layer /data/docker/overlay2/${layer##*/}/diff none bind 0 0"
  done >"$state/layers"
  # One process for all of them.
  mount --all --fstab "$state/layers" || fail "the preloaded layers cannot be mounted"
}
