// Made from /openapi.json by `npm run generate:api`; not written by hand.

export interface paths {
  "/v1/sandboxes": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List your sandboxes; admins see all, or those of one user */
    get: {
      parameters: {
        query?: {
          user?: string;
          usage?: "true" | "false";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Oldest first */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["SandboxList"];
          };
        };
      };
    };
    put?: never;
    /** Create a sandbox. Answers when it is ready; with `Prefer: respond-async` at once (202), and its events tell the rest. A client that hangs up while it waits breaks the creation off. */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["CreateRequest"];
        };
      };
      responses: {
        /** @description The sandbox, ready */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Sandbox"];
          };
        };
        /** @description The sandbox, being created */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Sandbox"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a sandbox */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The sandbox */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Sandbox"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    /** Remove a sandbox and everything in it; answers when it is gone */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Gone */
        204: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
      };
    };
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/extend": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Add time to a sandbox */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["ExtendRequest"];
        };
      };
      responses: {
        /** @description The sandbox with its new end */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Sandbox"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/resize": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Change a sandbox's limits while it runs; what is left out stays. Memory and pids not below what is used, the disk only to a larger one. */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["ResizeRequest"];
        };
      };
      responses: {
        /** @description The sandbox with its new limits */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Sandbox"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/usage": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the sandbox uses now, beside its limits */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Usage of the sandbox as a whole */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Usage"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/usage/history": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the sandbox used over the last ten minutes */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Samples, oldest first */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["UsageHistory"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/containers": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The containers that run in the sandbox, as its own engine tells them */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description What runs inside */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["ContainerList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/certificates": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The client certificates of its bundles; a fresh bundle brings a new one */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Those that are still good */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["CertificateList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/verify": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Look at how a sandbox is held: from the host, and from inside by a container that tries to get out */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description What was found */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Verification"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/bundle": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A fresh bundle: address, client certificate and Docker context, as zip or tar */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The bundle */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/zip": unknown;
            "application/x-tar": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sandboxes/{id}/events": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Server-sent events of a sandbox: `step` (StepEvent) for each step of its creation, `state` (StateEvent) for each change, `incident` (IncidentEvent) when a limit did something to it. What happened before comes first; the stream ends with the sandbox. */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The stream */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/event-stream": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether you are signed in, and how you could */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The session, or none */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Session"];
          };
        };
      };
    };
    put?: never;
    /** Sign in by password or token; the answer sets a cookie that lasts for some hours */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["SignInRequest"];
        };
      };
      responses: {
        /** @description You are signed in */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Session"];
          };
        };
      };
    };
    /** Sign out: the session ends, also where its cookie was copied to */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description You are signed out */
        204: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
      };
    };
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/session/oidc": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Sign in by OpenID Connect: leads to the provider */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description To the provider, or to the page, whose session then tells of SIGN_IN_REFUSED or PROVIDER_UNREACHABLE */
        303: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/session/oidc/callback": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Where the provider leads back to */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description To the provider, or to the page, whose session then tells of SIGN_IN_REFUSED or PROVIDER_UNREACHABLE */
        303: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/me": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Who you are and what you may ask for */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description You */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Me"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/users/{name}/password": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /** Set a password, which ends all sessions of the user's. Admins set anybody's; users their own, and give the one until now */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          name: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["SetPasswordRequest"];
        };
      };
      responses: {
        /** @description It counts from now on */
        204: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
      };
    };
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/users": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List users */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description All users, by name */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["UserList"];
          };
        };
      };
    };
    put?: never;
    /** Add a user. The answer holds their token, which is shown only this once */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["AddUserRequest"];
        };
      };
      responses: {
        /** @description The user and the token */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["AddedUser"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/users/{name}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Remove a user and everything of theirs */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description What was removed */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["RemovedUser"];
          };
        };
      };
    };
    options?: never;
    head?: never;
    /** Change a user's role and groups; sandboxes they have stay as they are */
    patch: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          name: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["ChangeUserRequest"];
        };
      };
      responses: {
        /** @description The user as they are now */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["User"];
          };
        };
      };
    };
    trace?: never;
  };
  "/v1/groups": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The groups of the configuration, and what their members may have */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description All groups */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["GroupList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/host": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the host has, what is used of it, and what the sandboxes are promised */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The host now */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Host"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/events": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What happened last to any sandbox since Berth's start */
    get: {
      parameters: {
        query?: {
          limit?: string;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Newest first */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["HostEventList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/events/stream": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Server-sent events of all sandboxes from now on: `state`, `step` (one that failed) and `incident`, each with a HostEvent. Without end. */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The stream */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/event-stream": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/images": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The images that sandboxes start from, and those that are being built */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Newest first */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["ImageList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/profiles": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The profiles of the configuration, with their limits */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The default first */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["ProfileList"];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/reap": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Remove what has expired and repair what disagrees; with dryRun only say so */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["ReapRequest"];
        };
      };
      responses: {
        /** @description What was done */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["ReapResult"];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/healthz": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether the daemon answers */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description It does */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              /** @constant */
              status: "ok";
              version: string;
            };
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/metrics": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Counts and times for Prometheus; no names */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Metrics */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/plain": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The web page */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The page */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/html": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/openapi.json": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** This description */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description OpenAPI 3.1 */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": unknown;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Problem: {
      /** @description urn:berth:error:<code> */
      type: string;
      title: string;
      status: number;
      detail: string;
      /** @enum {string} */
      code:
        | "INVALID_REQUEST"
        | "BODY_NOT_JSON"
        | "BODY_TOO_LARGE"
        | "UNAUTHENTICATED"
        | "FORBIDDEN"
        | "RATE_LIMITED"
        | "CROSS_SITE_REQUEST"
        | "SIGN_IN_REFUSED"
        | "PROVIDER_UNREACHABLE"
        | "NOT_FOUND"
        | "METHOD_NOT_ALLOWED"
        | "CONFIG_INVALID"
        | "USER_NOT_FOUND"
        | "USER_EXISTS"
        | "SANDBOX_NOT_FOUND"
        | "SANDBOX_EXISTS"
        | "SANDBOX_BUSY"
        | "SANDBOX_NOT_READY"
        | "SANDBOX_LIMIT_REACHED"
        | "PROFILE_UNKNOWN"
        | "TTL_TOO_LONG"
        | "LIMIT_OUT_OF_RANGE"
        | "PORTS_EXHAUSTED"
        | "PORT_TAKEN"
        | "ADDRESSES_EXHAUSTED"
        | "UIDS_EXHAUSTED"
        | "DISK_FULL"
        | "DISK_FAILED"
        | "ENGINE_UNREACHABLE"
        | "ENGINE_FAILED"
        | "ENGINE_START_FAILED"
        | "ISOLATION_NOT_HELD"
        | "SYSTEMD_UNREACHABLE"
        | "SLICE_FAILED"
        | "SLICE_LIMITS_NOT_APPLIED"
        | "FORWARDING_FAILED"
        | "IMAGE_MISSING"
        | "IMAGE_IN_USE"
        | "IMAGE_BUILD_FAILED"
        | "RECORD_INVALID"
        | "CREATE_CANCELLED"
        | "DAEMON_UNREACHABLE"
        | "ALREADY_RUNNING"
        | "SHUTTING_DOWN"
        | "INTERNAL";
      /** @description Single faults of the request */
      errors?: {
        path: string;
        message: string;
      }[];
    };
    StepEvent: {
      /** @enum {string} */
      step:
        | "slice"
        | "certificates"
        | "disk"
        | "preload"
        | "network"
        | "container"
        | "start"
        | "door"
        | "ready"
        | "check";
      /** @enum {string} */
      status: "started" | "done" | "failed";
      /** @description How long the step took, when it ended */
      ms?: number;
      /** Format: date-time */
      at: string;
    };
    StateEvent: {
      state: ("creating" | "ready" | "stopped" | "removing" | "failed") | "removed";
      /** @description Since the request, when the creation ended */
      ms?: number;
      /** Format: date-time */
      expiresAt?: string;
      reason?: string;
      problem?: {
        /** @enum {string} */
        code:
          | "INVALID_REQUEST"
          | "BODY_NOT_JSON"
          | "BODY_TOO_LARGE"
          | "UNAUTHENTICATED"
          | "FORBIDDEN"
          | "RATE_LIMITED"
          | "CROSS_SITE_REQUEST"
          | "SIGN_IN_REFUSED"
          | "PROVIDER_UNREACHABLE"
          | "NOT_FOUND"
          | "METHOD_NOT_ALLOWED"
          | "CONFIG_INVALID"
          | "USER_NOT_FOUND"
          | "USER_EXISTS"
          | "SANDBOX_NOT_FOUND"
          | "SANDBOX_EXISTS"
          | "SANDBOX_BUSY"
          | "SANDBOX_NOT_READY"
          | "SANDBOX_LIMIT_REACHED"
          | "PROFILE_UNKNOWN"
          | "TTL_TOO_LONG"
          | "LIMIT_OUT_OF_RANGE"
          | "PORTS_EXHAUSTED"
          | "PORT_TAKEN"
          | "ADDRESSES_EXHAUSTED"
          | "UIDS_EXHAUSTED"
          | "DISK_FULL"
          | "DISK_FAILED"
          | "ENGINE_UNREACHABLE"
          | "ENGINE_FAILED"
          | "ENGINE_START_FAILED"
          | "ISOLATION_NOT_HELD"
          | "SYSTEMD_UNREACHABLE"
          | "SLICE_FAILED"
          | "SLICE_LIMITS_NOT_APPLIED"
          | "FORWARDING_FAILED"
          | "IMAGE_MISSING"
          | "IMAGE_IN_USE"
          | "IMAGE_BUILD_FAILED"
          | "RECORD_INVALID"
          | "CREATE_CANCELLED"
          | "DAEMON_UNREACHABLE"
          | "ALREADY_RUNNING"
          | "SHUTTING_DOWN"
          | "INTERNAL";
        detail: string;
      };
      /** Format: date-time */
      at: string;
    };
    IncidentEvent: {
      /** @enum {string} */
      kind: "memory" | "disk" | "pids" | "cpu";
      /**
       * @description What happened, and the way out where there is one
       * @example postgres was killed at 1.0 of 1.0 GiB memory; for more: berth resize alice/lab --memory 2G
       */
      text: string;
      /**
       * Format: date-time
       * @description When it happened last
       */
      at: string;
      /** @description How often it happened, without a long pause */
      count: number;
    };
    CreateRequest: {
      /**
       * @description Whose sandbox it becomes; by default the caller's. Only admins name others.
       * @example alice
       */
      user?: string;
      /**
       * @description A sandbox's name, unique per user
       * @example default
       */
      name?: string;
      profile?: string;
      /**
       * @description A duration: 30m, 2h, 1h30m, 1d
       * @example 2h
       */
      ttl?: string;
      /** @description A size: 512M, 1.5G (powers of 1024) or a number of bytes */
      memory?: string | number;
      /** @description Processor cores; 1.5 is one and a half */
      cpus?: number | string;
      /** @description Processes and threads */
      pids?: number | string;
      /** @description A size: 512M, 1.5G (powers of 1024) or a number of bytes */
      disk?: string | number;
    };
    Sandbox: {
      /**
       * @description A sandbox's id
       * @example k3x9f2ab
       */
      id: string;
      /**
       * @description A user's name
       * @example alice
       */
      user: string;
      /**
       * @description A sandbox's name, unique per user
       * @example default
       */
      name: string;
      profile: string;
      /** @enum {string} */
      isolation: "userns" | "privileged";
      /** @enum {string} */
      state: "creating" | "ready" | "stopped" | "removing" | "failed";
      /** @description Why the state is stopped or failed */
      reason?: string;
      /** @description What the user and the operator must know of this isolation */
      warning?: string;
      /** Format: date-time */
      createdAt: string;
      /** Format: date-time */
      expiresAt: string;
      /** @description How far from now `extend` may bring its end, for this user */
      maxTtlMs?: number;
      /** @description tcp:// address for DOCKER_HOST */
      dockerHost: string;
      /** @description Published ports: docker run -p <one of these>:80 is reachable here */
      ports: {
        from: number;
        to: number;
      };
      limits: {
        memoryBytes: number;
        cpus: number;
        pids: number;
        diskBytes: number;
      };
      slice: string;
      /** @description The latest 20, newest last */
      incidents: components["schemas"]["Incident"][];
    };
    Incident: {
      /** @enum {string} */
      kind: "memory" | "disk" | "pids" | "cpu";
      /**
       * @description What happened, and the way out where there is one
       * @example postgres was killed at 1.0 of 1.0 GiB memory; for more: berth resize alice/lab --memory 2G
       */
      text: string;
      /**
       * Format: date-time
       * @description When it happened last
       */
      at: string;
      /** @description How often it happened, without a long pause */
      count: number;
    };
    SandboxList: {
      sandboxes: {
        /**
         * @description A sandbox's id
         * @example k3x9f2ab
         */
        id: string;
        /**
         * @description A user's name
         * @example alice
         */
        user: string;
        /**
         * @description A sandbox's name, unique per user
         * @example default
         */
        name: string;
        profile: string;
        /** @enum {string} */
        isolation: "userns" | "privileged";
        /** @enum {string} */
        state: "creating" | "ready" | "stopped" | "removing" | "failed";
        /** @description Why the state is stopped or failed */
        reason?: string;
        /** @description What the user and the operator must know of this isolation */
        warning?: string;
        /** Format: date-time */
        createdAt: string;
        /** Format: date-time */
        expiresAt: string;
        /** @description How far from now `extend` may bring its end, for this user */
        maxTtlMs?: number;
        /** @description tcp:// address for DOCKER_HOST */
        dockerHost: string;
        /** @description Published ports: docker run -p <one of these>:80 is reachable here */
        ports: {
          from: number;
          to: number;
        };
        limits: {
          memoryBytes: number;
          cpus: number;
          pids: number;
          diskBytes: number;
        };
        slice: string;
        /** @description The latest 20, newest last */
        incidents: components["schemas"]["Incident"][];
        /** @description With usage=true: what the last look at it saw, some seconds old */
        usage?: components["schemas"]["Usage"];
      }[];
    };
    Usage: {
      /** Format: date-time */
      at: string;
      memory: {
        usedBytes: number;
        limitBytes: number;
        /** @description Processes killed for want of memory since the start */
        kills: number;
      };
      cpu: {
        /** @description Processor time since the sandbox started */
        usedSeconds: number;
        limitCpus: number;
        /** @description Of the last minute, how long it had to wait for its CPU limit */
        throttledPercent: number;
      };
      pids: {
        used: number;
        limit: number;
        /** @description Times the limit was seen reached since the start */
        limitHits: number;
      };
      disk: {
        /** @description Used of the sandbox's file system, as df shows it */
        usedBytes: number;
        /** @description The disk's size; the file system keeps a part for itself, see freeBytes */
        limitBytes: number;
        freeBytes: number;
        /** @description How many more files fit */
        freeInodes: number;
      };
      /** @description For how much of the last minute its processes waited for each; on hosts with cgroup v2 only */
      pressure?: {
        cpu: {
          /** @description At least one process waited */
          somePercent: number;
          /** @description All waited that had something to do */
          fullPercent: number;
        };
        memory: {
          /** @description At least one process waited */
          somePercent: number;
          /** @description All waited that had something to do */
          fullPercent: number;
        };
        io: {
          /** @description At least one process waited */
          somePercent: number;
          /** @description All waited that had something to do */
          fullPercent: number;
        };
      };
    };
    ExtendRequest: {
      /**
       * @description Time to add to the sandbox's end
       * @example 2h
       */
      ttl: string;
    };
    ResizeRequest: {
      /** @description A size: 512M, 1.5G (powers of 1024) or a number of bytes */
      memory?: string | number;
      /** @description Processor cores; 1.5 is one and a half */
      cpus?: number | string;
      /** @description Processes and threads */
      pids?: number | string;
      /** @description A size: 512M, 1.5G (powers of 1024) or a number of bytes */
      disk?: string | number;
    };
    UsageHistory: {
      /** @description How long one sample is after another */
      intervalMs: number;
      /** @description Oldest first, ten minutes at most; what could not be read is left out */
      samples: {
        /** Format: date-time */
        at: string;
        memoryBytes?: number;
        /** @description Used since the sample before, on average */
        cpuCores?: number;
        pids?: number;
        diskBytes?: number;
      }[];
    };
    ContainerList: {
      /** @description Those that run now, 100 at most, by the word of the sandbox's engine */
      containers: components["schemas"]["Container"][];
    };
    Container: {
      name: string;
      image: string;
      /** @example running */
      state: string;
      ports: {
        containerPort: number;
        /** @description The sandbox's port that leads to it; absent when it is not published */
        hostPort?: number;
        /** @example tcp */
        protocol: string;
      }[];
    };
    CertificateList: {
      /** @description Client certificates of its bundles that are still good, newest first; the last twenty */
      certificates: {
        /** Format: date-time */
        issuedAt: string;
        /** Format: date-time */
        expiresAt: string;
      }[];
    };
    Verification: {
      /** @description Whether every check is */
      ok: boolean;
      checks: {
        /** @example uid map */
        name: string;
        /**
         * @description host: the kernel's own state; inside: a container in the sandbox, whose root could forge it
         * @enum {string}
         */
        seenFrom: "host" | "inside";
        ok: boolean;
        /** @example 0 1073741824 65536 */
        detail: string;
      }[];
    };
    Session: {
      signedIn: boolean;
      /**
       * @description A user's name
       * @example alice
       */
      user?: string;
      /** @enum {string} */
      role?: "user" | "admin";
      methods: components["schemas"]["SignInMethod"][];
      /** @description Why the last sign-in by a provider failed; told once */
      problem?: {
        title: string;
        detail: string;
        /** @enum {string} */
        code:
          | "INVALID_REQUEST"
          | "BODY_NOT_JSON"
          | "BODY_TOO_LARGE"
          | "UNAUTHENTICATED"
          | "FORBIDDEN"
          | "RATE_LIMITED"
          | "CROSS_SITE_REQUEST"
          | "SIGN_IN_REFUSED"
          | "PROVIDER_UNREACHABLE"
          | "NOT_FOUND"
          | "METHOD_NOT_ALLOWED"
          | "CONFIG_INVALID"
          | "USER_NOT_FOUND"
          | "USER_EXISTS"
          | "SANDBOX_NOT_FOUND"
          | "SANDBOX_EXISTS"
          | "SANDBOX_BUSY"
          | "SANDBOX_NOT_READY"
          | "SANDBOX_LIMIT_REACHED"
          | "PROFILE_UNKNOWN"
          | "TTL_TOO_LONG"
          | "LIMIT_OUT_OF_RANGE"
          | "PORTS_EXHAUSTED"
          | "PORT_TAKEN"
          | "ADDRESSES_EXHAUSTED"
          | "UIDS_EXHAUSTED"
          | "DISK_FULL"
          | "DISK_FAILED"
          | "ENGINE_UNREACHABLE"
          | "ENGINE_FAILED"
          | "ENGINE_START_FAILED"
          | "ISOLATION_NOT_HELD"
          | "SYSTEMD_UNREACHABLE"
          | "SLICE_FAILED"
          | "SLICE_LIMITS_NOT_APPLIED"
          | "FORWARDING_FAILED"
          | "IMAGE_MISSING"
          | "IMAGE_IN_USE"
          | "IMAGE_BUILD_FAILED"
          | "RECORD_INVALID"
          | "CREATE_CANCELLED"
          | "DAEMON_UNREACHABLE"
          | "ALREADY_RUNNING"
          | "SHUTTING_DOWN"
          | "INTERNAL";
      };
    };
    SignInMethod: {
      /**
       * @description password: by POST /v1/session, with a token instead of a password as well; oidc: by going to url; proxy: by coming through the operator's own sign-in
       * @enum {string}
       */
      kind: "password" | "oidc" | "proxy";
      /**
       * @description For people
       * @example University account
       */
      label: string;
      /** @description Where the browser goes to sign in */
      url?: string;
    };
    SignInRequest:
      | {
          user: string;
          password: string;
        }
      | {
          token: string;
        };
    Me: {
      /**
       * @description Absent for root over the socket
       * @example alice
       */
      user?: string;
      /** @enum {string} */
      role: "user" | "admin";
      /** @description Yours; what you may have below is what they bring */
      groups?: string[];
      sandboxesPerUser: number;
      ttl: {
        defaultMs: number;
        maxMs: number;
      };
      profiles: components["schemas"]["Profile"][];
      maxLimits: {
        memoryBytes: number;
        cpus: number;
        pids: number;
        diskBytes: number;
      };
    };
    Profile: {
      name: string;
      description: string;
      /** @enum {string} */
      isolation: "userns" | "privileged";
      ttlMs: number;
      limits: {
        memoryBytes: number;
        cpus: number;
        pids: number;
        diskBytes: number;
      };
      /** @description What its sandboxes have from the start */
      images: string[];
      /** @description false: its images are not built yet, and a creation fails (IMAGE_MISSING); berth image build NAME */
      ready: boolean;
    };
    SetPasswordRequest: {
      /**
       * Format: password
       * @description A password, 10 to 256 characters
       */
      password: string;
      /** @description The password until now; users must give it, admins need not */
      current?: string;
    };
    UserList: {
      users: components["schemas"]["User"][];
    };
    User: {
      /**
       * @description A user's name
       * @example alice
       */
      name: string;
      /** @enum {string} */
      role: "user" | "admin";
      /** @description Of the configuration; by an admin's word, or by that of who signed them in */
      groups: string[];
      /** Format: date-time */
      createdAt: string;
      /** @description Whether they have a token for API and CLI */
      hasToken: boolean;
      /** @description Whether they can sign in by a password */
      hasPassword: boolean;
      /**
       * Format: date-time
       * @description When they last asked for something, to the minute; absent for never
       */
      lastSeenAt?: string;
    };
    AddUserRequest: {
      /**
       * @description A user's name
       * @example alice
       */
      name: string;
      /** @enum {string} */
      role?: "user" | "admin";
      /**
       * Format: password
       * @description A password, 10 to 256 characters
       */
      password?: string;
      groups?: string[];
    };
    AddedUser: {
      /**
       * @description A user's name
       * @example alice
       */
      name: string;
      /** @enum {string} */
      role: "user" | "admin";
      /** @description Of the configuration; by an admin's word, or by that of who signed them in */
      groups: string[];
      /** Format: date-time */
      createdAt: string;
      /** @description Whether they have a token for API and CLI */
      hasToken: boolean;
      /** @description Whether they can sign in by a password */
      hasPassword: boolean;
      /**
       * Format: date-time
       * @description When they last asked for something, to the minute; absent for never
       */
      lastSeenAt?: string;
      /** @description Shown once; only its hash is kept */
      token: string;
    };
    ChangeUserRequest: {
      /** @enum {string} */
      role?: "user" | "admin";
      /** @description All that they are to be in by an admin's word; those of the provider stay */
      groups?: string[];
    };
    GroupList: {
      groups: components["schemas"]["Group"][];
    };
    Group: {
      name: string;
      maxLimits: {
        memoryBytes?: number;
        cpus?: number;
        pids?: number;
        diskBytes?: number;
      };
      maxTtlMs?: number;
      sandboxesPerUser?: number;
      /** @description Absent: all */
      profiles?: string[];
      /** @description How many users are in it */
      members: number;
    };
    RemovedUser: {
      /**
       * @description A user's name
       * @example alice
       */
      name: string;
      removedSandboxes: string[];
    };
    Host: {
      /** Format: date-time */
      at: string;
      memory: {
        totalBytes: number;
        usedBytes: number;
        /** @description The limits of all sandboxes together */
        promisedBytes: number;
      };
      cpu: {
        cores: number;
        /** @description In the last seconds */
        usedCores: number;
        promisedCores: number;
      };
      /** @description The file system that holds the sandboxes' disks */
      disk: {
        totalBytes: number;
        usedBytes: number;
        /** @description The limits of all sandboxes together */
        promisedBytes: number;
      };
      sandboxes: number;
      states: {
        [key: string]: number;
      };
      users: number;
      version: string;
    };
    HostEventList: {
      events: components["schemas"]["HostEvent"][];
    };
    HostEvent: {
      /** Format: date-time */
      at: string;
      /**
       * @description step: only those that failed
       * @enum {string}
       */
      type: "state" | "step" | "incident";
      /**
       * @description A sandbox's id
       * @example k3x9f2ab
       */
      sandbox: string;
      /**
       * @description A user's name
       * @example alice
       */
      user?: string;
      /**
       * @description A sandbox's name, unique per user
       * @example default
       */
      name?: string;
      /** @description For people */
      text: string;
      /** @description A StateEvent, StepEvent or IncidentEvent */
      data: {
        [key: string]: unknown;
      };
    };
    ImageList: {
      images: {
        tag: string;
        id: string;
        sizeBytes: number;
        /** Format: date-time */
        createdAt: string;
        /** @description New sandboxes start from it */
        current: boolean;
        inUse: boolean;
        /** @description What it preloads */
        images: string[];
      }[];
      /** @description Builds under way, as of the last second */
      building: components["schemas"]["ImageBuild"][];
    };
    ImageBuild: {
      /** @description Whose images; absent for the image that all sandboxes start from */
      profile?: string;
      /** @example collect */
      phase: string;
      /** @description For people */
      message: string;
      /** Format: date-time */
      startedAt: string;
      /** @description The one that is on its way */
      image?: string;
      /** @description Moved so far, of the image if there is one */
      bytes?: number;
      totalBytes?: number;
      secondsLeft?: number;
    };
    ProfileList: {
      profiles: components["schemas"]["Profile"][];
    };
    ReapRequest: {
      dryRun?: boolean;
    };
    ReapResult: {
      dryRun: boolean;
      actions: components["schemas"]["ReapAction"][];
    };
    ReapAction: {
      /** @example remove sandbox */
      act: string;
      /** @example k3x9f2ab (alice/default) */
      thing: string;
      /** @example expired 3m ago */
      why: string;
      /** @description Set when it could not be done */
      error?: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
