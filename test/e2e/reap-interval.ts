import { daemonAnswers, ok, onHost } from "./support.js";

// How often the host's daemon reaps by itself (`reapEvery`), for tests that look at what one reap does.

/** A drop-in of ours, and a configuration; a reboot takes both. */
const dropInDir = "/run/systemd/system/berth.service.d";
const dropIn = `${dropInDir}/50-e2e-reap.conf`;
const configFile = "/run/berth-e2e-reap.yaml";
const command = `/opt/berth/bin/berth serve --config ${configFile}`;

/** Restarts the daemon with the operator's configuration but for this. */
export async function daemonReapsEvery(interval: string): Promise<void> {
  ok(
    await onHost(`set -e
      mkdir -p ${dropInDir}
      { grep -v '^reapEvery:' /etc/berth/berth.yaml || true; echo 'reapEvery: ${interval}'; } >${configFile}
      printf '%s\\n' '[Service]' ExecStart= 'ExecStart=${command}' >${dropIn}
      systemctl daemon-reload
      systemctl restart berth`),
  );
  await daemonAnswers();
}

/** Restarts it as the operator has it, if need be. */
export async function daemonReapsAsUsual(): Promise<void> {
  ok(
    await onHost(`set -e
      [ -e ${dropIn} ] || exit 0
      rm -f ${dropIn} ${configFile}
      systemctl daemon-reload
      systemctl restart berth`),
  );
  await daemonAnswers();
}
