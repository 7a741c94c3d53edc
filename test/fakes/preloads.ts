import { BerthError } from "../../src/lib/errors.js";
import type { Parts } from "../../src/provisioner/parts.js";
import type { FakeHost } from "./host.js";

/** Preloads, as the fake host has them: the newest is current, all that are mounted can be seen. */
export function fakePreloads(host: FakeHost): Parts["preloads"] {
  return {
    require: ({ name }) =>
      host.call("preloads.require", () => {
        if (host.preload !== undefined)
          return { image: `berth/dind:${host.preload}`, preload: host.preload };
        throw new BerthError("IMAGE_MISSING", `run berth image build ${name}`);
      }),
    mount: (preload) =>
      host.call("preloads.mount", () => {
        host.preloads.add(preload);
        return `/run/berth/preloads/${preload}`;
      }),
    withdraw: ({ keepFiles }) =>
      host.call("preloads.withdraw", () => {
        host.preloads.clear();
        if (!keepFiles) host.preload = undefined;
      }),
    collect: (isUsed, { dryRun }) =>
      host.call("preloads.collect", () => {
        const unused = [...host.preloads].filter((one) => one !== host.preload && !isUsed(one));
        if (!dryRun) for (const preload of unused) host.preloads.delete(preload);
        return unused.map((preload) => ({ thing: `preload ${preload}`, why: "unused" }));
      }),
  };
}
