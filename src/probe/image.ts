import { pack, type Pack } from "tar-stream";

/** Where the probe lies in its image. */
export const probePath = "/probe";

/** The top of a Debian root whose programs are the sandbox's own, bound in at /usr. */
const links = { bin: "usr/bin", lib: "usr/lib", lib64: "usr/lib64", sbin: "usr/sbin" };
const directories = ["dev", "etc", "host", "proc", "sys", "tmp", "usr"];

/** A root file system of a few kilobytes, as `docker import` takes it. */
export function probeImage(script: Buffer): Pack {
  const tar = pack();
  for (const name of directories) tar.entry({ name, type: "directory", mode: 0o755 });
  for (const [name, linkname] of Object.entries(links)) {
    tar.entry({ name, type: "symlink", linkname });
  }
  tar.entry({ name: probePath.slice(1), mode: 0o755 }, script);
  tar.finalize();
  return tar;
}
