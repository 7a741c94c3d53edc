import { ok, onHost } from "./support.js";

// Images in the host's engine for the tests of preloads, made from busybox; no registry is asked.

/** CAP_NET_RAW, permitted and effective, as the kernel writes it (linux/capability.h, version 2). */
const netRaw = "0x0100000200200000000000000000000000000000";

/**
 * `pre-odd:1` has all that a layer can hold besides plain files: a directory that hides the one below, a
 * file taken away, hard links, attributes, capabilities, set-uid, device nodes, another owner; and a symbolic
 * link marked opaque, which nobody makes by accident. `pre-plain:1` shares its first layer.
 */
export async function makeImages(dindTag: string): Promise<void> {
  ok(
    await onHost(`
set -eu
d=$(mktemp -d /var/tmp/pre-images.XXXXXX); trap 'rm -rf $d' EXIT; cd $d
mkdir -p r/bin r/keep r/opaque
cp /bin/busybox r/bin/
for t in sh ls cat rm mkdir stat sleep find true md5sum; do ln -s busybox r/bin/$t; done
echo lower >r/opaque/a; echo lower >r/keep/gone; echo stays >r/keep/owned
cp /bin/busybox r/keep/suid; chmod 4755 r/keep/suid
cp /bin/busybox r/keep/busybox-cap; echo linked >r/keep/link1; ln r/keep/link1 r/keep/link2
ln -s nowhere r/lure
set_attribute() { docker run --rm --cap-add SYS_ADMIN -v $d/r:/r --entrypoint setfattr ${dindTag} -h -n "$@"; }
set_attribute security.capability -v ${netRaw} /r/keep/busybox-cap
set_attribute user.note -v kept /r/keep/owned
set_attribute trusted.overlay.opaque -v y /r/lure
mknod r/keep/char c 1 3; mknod r/keep/block b 7 9
chown 1234:5678 r/keep/owned
tar --xattrs --xattrs-include='*' --numeric-owner -C r -c . | docker import - pre-base:1 >/dev/null
build() { docker build -q -t $1 - >/dev/null; }
printf 'FROM pre-base:1\\nRUN ["/bin/sh","-c","rm -r /opaque && mkdir /opaque && echo upper >/opaque/b && rm /keep/gone"]\\n' | build pre-odd:1
`),
  );
  await makePlain("first");
}

/** Another image under the same name each time: `content` is in /content. */
export async function makePlain(content: string): Promise<void> {
  const dockerfile = `FROM pre-base:1\\nRUN ["/bin/sh","-c","echo ${content} >/content"]\\n`;
  ok(await onHost(`printf '${dockerfile}' | docker build -q -t pre-plain:1 - 2>&1`));
}

export async function removeImages(): Promise<void> {
  await onHost("docker rmi pre-odd:1 pre-plain:1 pre-base:1 2>&1; docker image prune -f 2>&1");
}
