/** Somebody whom others have signed in: an OpenID Connect provider, or a proxy. */
export interface Identity {
  /** By the provider's own number for them, which stays when they change their name. */
  oidc?: { issuer: string; subject: string };
  /** What they are called there, as a user's name. */
  name: string;
  groups: string[];
  isAdmin: boolean;
}
