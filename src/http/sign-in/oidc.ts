import type { Request, Response } from "express";
import * as client from "openid-client";
import { z } from "zod";
import type { Identity } from "../../lib/identity.js";
import { BerthError, codeOf } from "../../lib/errors.js";
import type { Log } from "../../lib/log.js";
import type { Cookies } from "./cookies.js";
import { groupsFrom, isAnyOf, nameFrom } from "./identity.js";
import type { Seals } from "./seals.js";

export interface OidcSettings {
  issuer: string;
  clientId: string;
  clientSecret?: string | undefined;
  scopes: string[];
  usernameClaim: string;
  groupsClaim: string;
  adminGroups: string[];
  label: string;
}

export const oidcPath = "/v1/session/oidc";
export const oidcCallbackPath = `${oidcPath}/callback`;

const cookie = "berth_oidc";
/** How long a person may take at the provider. */
const lastsMs = 10 * 60_000;
const answerTimeoutSeconds = 10;
/** A provider that is away is not asked by each who tries. */
const askAgainMs = 5_000;

/** What is kept in the browser between its going to the provider and its return, sealed. */
const attempt = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  untilMs: z.number(),
});

/** Signing in by OpenID Connect: the code flow with PKCE, state and nonce. */
export class OidcSignIn {
  #provider: Promise<client.Configuration> | undefined;

  constructor(
    readonly settings: OidcSettings,
    private readonly parts: {
      seals: Seals;
      cookies: Cookies;
      /** Scheme, host and port at which the browser has reached us. */
      originOf: (request: Request) => string;
      log: Log;
      now: () => Date;
    },
  ) {}

  /** Sends the browser to the provider. @throws BerthError PROVIDER_UNREACHABLE */
  async begin(request: Request, response: Response): Promise<void> {
    const { seals, cookies, originOf, now } = this.parts;
    const provider = await this.#ask();
    const started = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      untilMs: now().getTime() + lastsMs,
    };
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: originOf(request) + oidcCallbackPath,
      scope: this.settings.scopes.join(" "),
      state: started.state,
      nonce: started.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(started.verifier),
      code_challenge_method: "S256",
    });
    cookies.set(request, response, cookie, await seals.seal(started), lastsMs);
    response.redirect(303, url.href);
  }

  /** Who has come back from the provider. @throws BerthError SIGN_IN_REFUSED, PROVIDER_UNREACHABLE */
  async finish(request: Request, response: Response): Promise<Identity> {
    const { seals, cookies, originOf, now } = this.parts;
    const started = await seals.open(attempt, cookies.read(request, cookie));
    // Each counts once.
    cookies.clear(request, response, cookie);
    if (!started || started.untilMs <= now().getTime()) {
      throw refused("this sign-in was not begun in this browser, or took too long; try again");
    }
    const provider = await this.#ask();
    try {
      const url = new URL(request.originalUrl, originOf(request));
      const tokens = await client.authorizationCodeGrant(provider, url, {
        expectedState: started.state,
        expectedNonce: started.nonce,
        pkceCodeVerifier: started.verifier,
        idTokenExpected: true,
      });
      const idToken = tokens.claims();
      if (!idToken) throw new Error("there is no id token");
      const more = provider.serverMetadata().userinfo_endpoint
        ? await client.fetchUserInfo(provider, tokens.access_token, idToken.sub)
        : {};
      return this.#identityOf(idToken.sub, { ...idToken, ...more });
    } catch (error) {
      if (error instanceof BerthError) throw error;
      throw this.#failed(error);
    }
  }

  #identityOf(subject: string, claims: Record<string, unknown>): Identity {
    const { issuer, usernameClaim, groupsClaim, adminGroups } = this.settings;
    const groups = groupsFrom(claims[groupsClaim]);
    return {
      oidc: { issuer, subject },
      name: nameFrom(claims[usernameClaim], "the provider"),
      groups,
      isAdmin: isAnyOf(groups, adminGroups),
    };
  }

  /** Of what the provider said, the log has the code; tokens and claims are nobody's to read. */
  #failed(error: unknown): BerthError {
    const code = codeOf(error);
    const said = z.object({ error: z.string().max(100) }).safeParse(error);
    const reason = said.success ? said.data.error : code;
    this.parts.log.warn({ reason, issuer: this.settings.issuer }, "a sign-in was refused");
    if (said.success && said.data.error === "access_denied") {
      return refused("the provider did not let you in, or you went back; try again");
    }
    return refused("the provider's answer was not accepted; try again");
  }

  #ask(): Promise<client.Configuration> {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      setTimeout(() => (this.#provider = undefined), askAgainMs).unref();
      const { issuer } = this.settings;
      this.parts.log.warn({ issuer, err: error }, "the provider of sign-ins does not answer");
      throw new BerthError(
        "PROVIDER_UNREACHABLE",
        "the provider of sign-ins does not answer; try again in a moment",
        { cause: error },
      );
    });
    return this.#provider;
  }

  #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const url = new URL(issuer);
    return client.discovery(
      url,
      clientId,
      undefined,
      clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
      {
        timeout: answerTimeoutSeconds,
        // The configuration has such a provider on loopback only.
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to be noticed
        ...(url.protocol === "http:" ? { execute: [client.allowInsecureRequests] } : {}),
      },
    );
  }
}

const refused = (why: string): BerthError => new BerthError("SIGN_IN_REFUSED", why);
