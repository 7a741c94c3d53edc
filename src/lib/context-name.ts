/**
 * Proposed name of a sandbox's Docker context: the user, or user-name where that would not be unique
 * or not be allowed (docker wants two characters or more, and keeps "default" for itself).
 */
export function contextName({ user, name }: { user: string; name: string }): string {
  const userAlone = name === "default" && user.length > 1 && user !== "default";
  return userAlone ? user : `${user}-${name}`;
}
