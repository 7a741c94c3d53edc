import type { Request, Response } from "express";
import { session, signInRequest, type Session } from "../../lib/contract/session.js";
import type { User } from "../../lib/contract/user.js";
import { BerthError } from "../../lib/errors.js";
import type { Caller } from "../caller.js";
import type { HttpContext } from "../context.js";
import { route, type Route } from "../route.js";
import { oidcCallbackPath, oidcPath, type OidcSignIn } from "../sign-in/oidc.js";
import type { SignIn } from "../sign-in/sign-in.js";

const path = "/v1/session";

/** Routes by which a browser signs in and out. */
export function sessionRoutes({ signIn }: HttpContext): Route[] {
  const told = (caller: Caller | User | undefined): Session => ({
    signedIn: caller !== undefined,
    ...(caller?.name === undefined ? {} : { user: caller.name }),
    ...(caller === undefined ? {} : { role: caller.role }),
    methods: signIn.methods,
  });
  return [
    route({
      method: "get",
      path,
      summary: "Whether you are signed in, and how you could",
      access: "open",
      answers: { 200: { description: "The session, or none", schema: session } },
      errors: [],
      async handle({ request, response }) {
        response.setHeader("Cache-Control", "no-store");
        const { caller, problem = await signIn.problems.take(request, response) } =
          await signIn.identifyIfAny(request);
        response.json({ ...told(caller), ...(problem ? { problem } : {}) });
      },
    }),
    route({
      method: "post",
      path,
      summary: "Sign in by password or token; the answer sets a cookie that lasts for some hours",
      access: "open",
      body: signInRequest,
      answers: { 200: { description: "You are signed in", schema: session } },
      errors: ["UNAUTHENTICATED", "RATE_LIMITED", "FORBIDDEN", "CROSS_SITE_REQUEST"],
      async handle({ body, request, response }) {
        // Else another site could sign a browser in as somebody it knows, and read what is done there.
        signIn.mustBeFromOwnPage(request);
        const user = await ("token" in body
          ? signIn.byToken(request, body.token)
          : signIn.byPassword(request, body.user, body.password));
        await signIn.begin(request, response, user);
        response.setHeader("Cache-Control", "no-store");
        response.json(told(user));
      },
    }),
    route({
      method: "delete",
      path,
      summary: "Sign out: the session ends, also where its cookie was copied to",
      access: "open",
      answers: { 204: { description: "You are signed out" } },
      errors: ["CROSS_SITE_REQUEST"],
      async handle({ request, response }) {
        signIn.mustBeFromOwnPage(request);
        await signIn.end(request, response);
        response.status(204).end();
      },
    }),
    ...oidcRoutes(signIn),
  ];
}

/** The browser goes there and back; what goes wrong, the page tells. */
function oidcRoutes(signIn: SignIn): Route[] {
  const open = (summary: string, path: string, visit: Visit): Route =>
    route({
      method: "get",
      path,
      summary,
      access: "open",
      answers: {
        303: {
          description:
            "To the provider, or to the page, whose session then tells of SIGN_IN_REFUSED or PROVIDER_UNREACHABLE",
        },
      },
      errors: ["SIGN_IN_REFUSED"],
      async handle({ request, response }) {
        if (!signIn.oidc) {
          throw new BerthError(
            "SIGN_IN_REFUSED",
            "signing in by OpenID Connect is not set up here",
          );
        }
        response.setHeader("Cache-Control", "no-store");
        try {
          await visit(signIn.oidc, request, response);
        } catch (error) {
          if (!(error instanceof BerthError)) throw error;
          await signIn.problems.set(request, response, error);
          response.redirect(303, "/");
        }
      },
    });
  return [
    open("Sign in by OpenID Connect: leads to the provider", oidcPath, (oidc, ...visit) =>
      oidc.begin(...visit),
    ),
    open("Where the provider leads back to", oidcCallbackPath, async (oidc, request, response) => {
      const user = await signIn.admit(await oidc.finish(request, response));
      await signIn.begin(request, response, user);
      response.redirect(303, "/");
    }),
  ];
}

type Visit = (oidc: OidcSignIn, request: Request, response: Response) => Promise<void>;
