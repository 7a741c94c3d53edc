import { BerthError } from "../lib/errors.js";
import type { Identity } from "../lib/identity.js";
import type { UserRecord } from "./record.js";

/** The record of somebody whom others have signed in; undefined for nobody so far. */
export function findAdmitted(
  users: Iterable<UserRecord>,
  { oidc, name }: Identity,
): UserRecord | undefined {
  let ofName: UserRecord | undefined;
  for (const user of users) {
    if (oidc && user.oidc?.issuer === oidc.issuer && user.oidc.subject === oidc.subject)
      return user;
    if (user.name === name) ofName = user;
  }
  return ofName;
}

/**
 * A user's record once somebody is let in as them; pure. A provider may let people choose the name it
 * tells: one who comes from there does not become a user who has another way in.
 * @throws BerthError SIGN_IN_REFUSED
 */
export function admitted(
  user: UserRecord,
  { oidc, groups, isAdmin }: Identity,
  linkLocalUsers: boolean,
): UserRecord {
  const told = { groups: [...new Set(groups)].sort(), isAdmin };
  if (!oidc) return { ...user, proxy: told };
  const isKnown = user.oidc?.issuer === oidc.issuer && user.oidc.subject === oidc.subject;
  const hasOtherWay = Boolean(user.token ?? user.password ?? user.proxy) || user.role === "admin";
  if (!isKnown && (user.oidc !== undefined || (hasOtherWay && !linkLocalUsers))) {
    throw new BerthError(
      "SIGN_IN_REFUSED",
      `the name ${user.name} is taken by somebody who signs in otherwise; ask who runs this server`,
    );
  }
  return { ...user, oidc: { ...oidc, ...told } };
}
