// What a user types to reach a sandbox with the bundle just downloaded. Pure.

interface Named {
  user: string;
  name: string;
}

export interface Way {
  key: "context" | "shell" | "powershell";
  title: string;
  lines: string[];
}

/** Name of the bundle, and of the folder it is unpacked into. */
export const bundleName = (sandbox: Named) => `berth-${sandbox.user}-${sandbox.name}`;

/** Name of the Docker context, the same that the bundle's README and the CLI propose. */
export function contextName({ user, name }: Named): string {
  const userAlone = name === "default" && user.length > 1 && user !== "default";
  return userAlone ? user : `${user}-${name}`;
}

/** Ways to connect, each a block to paste in the folder the bundle was saved to. */
export function waysToConnect(sandbox: Named): Way[] {
  const name = bundleName(sandbox);
  const context = contextName(sandbox);
  const unpack = `unzip -o ${name}.zip -d ${name}`;
  return [
    {
      key: "context",
      title: "Docker context",
      lines: [
        unpack,
        // Import refuses a name it knows, such as that of yesterday's sandbox.
        `docker context rm --force ${context}`,
        `docker context import ${context} ${name}/berth.dockercontext`,
        `docker --context ${context} version`,
      ],
    },
    {
      key: "shell",
      title: "bash, zsh",
      lines: [unpack, `. ./${name}/env.sh`, "docker version"],
    },
    {
      key: "powershell",
      title: "PowerShell",
      lines: [
        `Expand-Archive -Force ${name}.zip ${name}`,
        `. .\\${name}\\env.ps1`,
        "docker version",
      ],
    },
  ];
}

/** The name or address in `tcp://HOST:PORT`, with brackets around an IPv6 address. */
export function hostOf(dockerHost: string): string {
  return /^tcp:\/\/(\[[^\]]*\]|[^:/]+)/.exec(dockerHost)?.[1] ?? "";
}
