export const shells = ["sh", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** Lines to eval that set `env` and clear DOCKER_CONTEXT, which docker would put before DOCKER_HOST. */
export function shellLines(shell: Shell, env: Record<string, string>, command: string): string[] {
  const entries = Object.entries(env);
  if (shell === "powershell") {
    return [
      ...entries.map(([name, value]) => `$Env:${name} = '${value.replaceAll("'", "''")}'`),
      "Remove-Item Env:DOCKER_CONTEXT -ErrorAction SilentlyContinue",
      `# To use them: ${command} --shell powershell | Out-String | Invoke-Expression`,
    ];
  }
  return [
    ...entries.map(([name, value]) => `export ${name}=${singleQuoted(value)}`),
    "unset DOCKER_CONTEXT",
    `# To use them: eval "$(${command})"`,
  ];
}

/** One word in sh, bash and zsh, whatever is in it. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
