import {
  exampleOf,
  explain,
  flatten,
  inYaml,
  keysOf,
  spelling,
  type ConfigKey,
} from "./config-keys.js";
import { configSchema } from "./config-schema.js";
import { bold, ManPage, prose } from "./lib/roff.js";

const introduction = [
  "What the Berth daemon is set up by, in YAML. Every key is optional, and the file need not exist. An " +
    "unknown key is refused with the nearest known name. `berth doctor` prints the configuration in effect.",
  spelling,
  "After a change: `systemctl restart berth`. Sandboxes run on, and changed limits apply to new ones; " +
    "`berth resize` changes those of one that runs.",
];

/** In docs/configuration.md as well. */
export const configExample = `publicHosts: [docker.example.edu]
listen: { host: 0.0.0.0, tls: { cert: /etc/berth/cert.pem, key: /etc/berth/key.pem } }
limits: { default: { memory: 2G }, max: { memory: 8G, cpus: 4 } }
profiles:
  databases:
    description: For the databases course
    ttl: 4h
    limits: { memory: 4G, disk: 20G }
    images: [postgres:17, redis:8]`;

/** The manual page berth.yaml(5). */
export function configManual(version: string): string {
  const page = new ManPage("BERTH.YAML", 5, `Berth ${version}`);
  page.section("NAME").paragraph("berth.yaml \\- configuration of the Berth daemon");
  page.section("SYNOPSIS").paragraph(bold("/etc/berth/berth.yaml"));
  page.section("DESCRIPTION");
  for (const text of introduction) page.paragraph(prose(text));
  page.section("KEYS");
  for (const key of flatten(keysOf(configSchema)))
    page.term(bold(key.path.join(".")), prose(told(key)));
  page.section("EXAMPLES").example(configExample.split("\n"));
  page.section("SEE ALSO").paragraph(`${bold("berth")}(1)`);
  return page.toString();
}

function told(key: ConfigKey): string {
  return `${explain(key)}${exampleOf(key)} ${defaultOf(key)}`.trim();
}

/** Sections have none of their own. */
function defaultOf({ keys, absent, fallback, required }: ConfigKey): string {
  if (absent !== undefined) return `Default: ${absent}.`;
  if (required) return "Must be given where its section is.";
  return keys ? "" : `Default: \`${inYaml(fallback)}\`.`;
}
