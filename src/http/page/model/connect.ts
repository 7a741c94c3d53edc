// What a user types to reach a sandbox with the bundle just downloaded. Pure.

interface Named {
  user: string;
  name: string;
}

export interface Way {
  key: "context" | "shell" | "powershell" | "compose" | "vscode";
  title: string;
  lines: string[];
  /** What the lines do not say. */
  note?: string;
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
  const importContext = [
    // Import refuses a name it knows, such as that of yesterday's sandbox.
    `docker context rm --force ${context}`,
    `docker context import ${context} ${name}/berth.dockercontext`,
  ];
  return [
    {
      key: "context",
      title: "Docker context",
      lines: [unpack, ...importContext, `docker --context ${context} version`],
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
    {
      key: "compose",
      title: "Compose",
      lines: [unpack, `. ./${name}/env.sh`, "docker compose up -d"],
      note: "Run the last line in the folder of your compose.yaml. Folders it mounts are folders of the sandbox, not of your computer: copy files in with a build, or keep them in a volume.",
    },
    {
      key: "vscode",
      title: "VS Code",
      lines: [unpack, ...importContext, `docker context use ${context}`],
      note: "Then open VS Code with the extension “Container Tools” (for its list of containers) or “Dev Containers”: both use the current context. “docker context use default” leads back.",
    },
  ];
}

/** Where a published port answers. */
export const portUrl = (dockerHost: string, port: number) => `http://${hostOf(dockerHost)}:${port}`;

/** The name or address in `tcp://HOST:PORT`, with brackets around an IPv6 address. */
export function hostOf(dockerHost: string): string {
  return /^tcp:\/\/(\[[^\]]*\]|[^:/]+)/.exec(dockerHost)?.[1] ?? "";
}
