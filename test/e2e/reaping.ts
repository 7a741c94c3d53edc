import { afterAll, beforeAll, expect } from "vitest";
import { reapResult, type ReapResult } from "../../src/lib/contract/sandbox.js";
import { berthJson, daemonAnswers, ok, onHost, traces } from "./support.js";

// Reaps, for tests that look at what a single one does.

/** A drop-in of ours, and a configuration; a reboot takes both. */
const dropInDir = "/run/systemd/system/berth.service.d";
const dropIn = `${dropInDir}/50-e2e-reap.conf`;
const configFile = "/run/berth-e2e-reap.yaml";
const command = `/opt/berth/bin/berth serve --config ${configFile}`;

/** While the tests of a file run, which leave nothing behind, the host reaps when it is told to. */
export function reapsOnlyWhenTold(): void {
  let clean: string[];
  beforeAll(async () => {
    await reapsWhenTold();
    clean = await traces();
  });
  afterAll(async () => {
    await reapsAsUsual();
    expect(await traces()).toEqual(clean);
  });
}

/** Stops its timer, and restarts its daemon with a configuration of ours. */
async function reapsWhenTold(): Promise<void> {
  ok(
    await onHost(`set -e
      mkdir -p ${dropInDir}
      { grep -v '^reapEvery:' /etc/berth/berth.yaml || true; echo 'reapEvery: 1d'; } >${configFile}
      printf '%s\\n' '[Service]' ExecStart= 'ExecStart=${command}' >${dropIn}
      systemctl daemon-reload
      systemctl stop berth-reap.timer
      systemctl restart berth`),
  );
  await daemonAnswers();
}

/** Has it reap as the operator wants it again; does nothing if it does. */
export async function reapsAsUsual(): Promise<void> {
  ok(
    await onHost(`set -e
      [ -e ${dropIn} ] || exit 0
      rm -f ${dropIn} ${configFile}
      systemctl daemon-reload
      systemctl restart berth
      systemctl start berth-reap.timer`),
  );
  await daemonAnswers();
}

export const reap = async (...flags: string[]): Promise<ReapResult> =>
  reapResult.parse(await berthJson("reap", ...flags));
