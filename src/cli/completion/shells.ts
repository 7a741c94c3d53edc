export const completionShells = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof completionShells)[number];

/** What only the daemon knows; `berth complete-names` asks it. */
export const nameKinds = ["sandboxes", "users", "profiles"] as const;
export type NameKind = (typeof nameKinds)[number];
