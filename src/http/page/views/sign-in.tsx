import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, problemOf } from "../model/problem.js";
import type { Ways } from "../model/session.js";
import { saveReturn } from "../model/storage.js";
import type { Credentials, Method, Problem } from "../model/types.js";
import { usePage } from "../parts/context.js";
import { Field } from "../parts/field.js";
import { useStore } from "../parts/hooks.js";
import { Tide } from "../parts/tide.js";
import { Button, ProblemBox } from "../parts/ui.js";

const dayMs = 86_400_000;

const wrongToken: Problem = {
  title: "This token does not work",
  detail: "Check that you copied all of it. If it is lost, ask for a new one.",
  code: "",
};
const wrongPassword: Problem = {
  title: "Name or password is wrong",
  detail: "Check both and try again. If the password is lost, ask who runs this server.",
  code: "",
};

export function SignIn({ ways, problem }: { ways: Ways; problem?: Problem | undefined }) {
  return (
    <div class="welcome">
      <div class="sign-in panel">
        <p class="lead">Get a Docker Engine of your own on this server.</p>
        <ProblemBox problem={problem} />
        <SignInForms ways={ways} />
      </div>
      <Tide leftMs={dayMs} wholeMs={1.5 * dayMs} />
    </div>
  );
}

/** Every way to sign in that this Berth has. */
export function SignInForms({ ways, user }: { ways: Ways; user?: string | undefined }) {
  const hasPassword = ways.methods.some(({ kind }) => kind === "password");
  const away = ways.methods.filter(({ kind, url }) => kind === "oidc" || url !== undefined);
  const isTokenOnly = !hasPassword && away.length === 0;
  return (
    <>
      {away.map((method) => (
        <AwayLink key={`${method.kind} ${method.label}`} method={method} />
      ))}
      {hasPassword && away.length > 0 && <p class="or">or</p>}
      {hasPassword && <PasswordForm user={user} />}
      {isTokenOnly ? (
        <TokenForm />
      ) : (
        <details class="more">
          <summary>Sign in with a token</summary>
          <TokenForm />
        </details>
      )}
    </>
  );
}

/** A way that leads to another page and back. */
function AwayLink({ method }: { method: Method }) {
  const { path } = useStore(usePage().router.place);
  return (
    <a
      class="button primary big"
      href={method.url ?? "/v1/session/oidc"}
      onClick={() => {
        saveReturn(path);
      }}
    >
      Sign in with {method.label}
    </a>
  );
}

/** Signs in; what the server said no to, until the next try. */
function useSignIn(refused: Problem) {
  const { session } = usePage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const signIn = async (credentials: Credentials): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setProblem(undefined);
    try {
      await session.signIn(credentials);
      return true;
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      setProblem(isRefused ? refused : problemOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  const refuse = () => {
    setProblem(refused);
  };
  return { signIn, refuse, busy, problem };
}

function PasswordForm({ user = "" }: { user?: string | undefined }) {
  const { signIn, busy, problem } = useSignIn(wrongPassword);
  const [name, setName] = useState(user);
  const [password, setPassword] = useState("");
  const form = useRef<HTMLFormElement>(null);
  // The name first, or the password when the name is known.
  useEffect(() => {
    form.current?.querySelectorAll("input")[user === "" ? 0 : 1]?.focus();
  }, []);
  const submit = async () => {
    if (await signIn({ user: name.trim(), password })) return;
    setPassword("");
    form.current?.querySelectorAll("input")[1]?.focus();
  };
  // The fields have no name: a form sent by accident would carry nothing.
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field id="user" label="Name" value={name} onValue={setName} autocomplete="username" />
      <Field
        id="password"
        label="Password"
        type="password"
        value={password}
        onValue={setPassword}
        autocomplete="current-password"
      />
      <ProblemBox problem={problem} />
      <Button kind="primary" class="big" submit busy={busy && "Signing in…"}>
        Sign in
      </Button>
    </form>
  );
}

function TokenForm() {
  const { signIn, refuse, busy, problem } = useSignIn(wrongToken);
  const [token, setToken] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const isHidden = form.current?.closest("details:not([open])");
    if (!isHidden) form.current?.querySelector("input")?.focus();
  }, []);
  const submit = async () => {
    const typed = token.trim();
    // What a header cannot carry is no token of ours.
    if (!/^[\x21-\x7e]+$/.test(typed)) refuse();
    else if (await signIn({ token: typed })) return;
    form.current?.querySelector("input")?.select();
  };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field
        id="token"
        label="Your token"
        type="password"
        value={token}
        onValue={setToken}
        autocomplete="current-password"
        hint="You got it from the person who runs this server."
        fault={undefined}
      />
      <ProblemBox problem={problem} />
      <Button kind="primary" class="big" submit busy={busy && "Signing in…"}>
        {"Sign in"}
        <span class="unseen"> with the token</span>
      </Button>
    </form>
  );
}
