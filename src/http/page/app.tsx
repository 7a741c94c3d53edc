import { useEffect } from "preact/hooks";
import { parseRoute } from "./model/router.js";
import { takeReturn } from "./model/storage.js";
import type { SessionState } from "./model/session.js";
import { PageContext, SignedInContext, usePage, type Page } from "./parts/context.js";
import { useStore } from "./parts/hooks.js";
import { Shell } from "./parts/shell.js";
import { Waiting } from "./parts/ui.js";
import { View } from "./parts/view.js";
import { Admin } from "./views/admin/admin.js";
import { Home } from "./views/home.js";
import { New } from "./views/new.js";
import { SandboxView } from "./views/sandbox/sandbox.js";
import { SignIn } from "./views/sign-in.js";
import { SignInAgain } from "./views/sign-in-again.js";

export function App({ page }: { page: Page }) {
  const state = useStore(page.session.state);
  return (
    <PageContext.Provider value={page}>
      <Content state={state} />
    </PageContext.Provider>
  );
}

function Content({ state }: { state: SessionState }) {
  if (state.kind === "starting") {
    return (
      <Shell>
        <Waiting what="Asking Berth…" />
      </Shell>
    );
  }
  if (state.kind === "out") {
    return (
      <Shell>
        <View title="Sign in">
          <SignIn ways={state.ways} problem={state.problem} />
        </View>
      </Shell>
    );
  }
  const { me } = state;
  // The key: another user starts with a page of their own, nothing of the one before is left on it.
  return (
    <SignedInContext.Provider value={state}>
      <Shell key={me.user ?? ""} user={{ name: me.user ?? "root", role: me.role }}>
        <Routed />
      </Shell>
      {state.expired && <SignInAgain ways={state.ways} user={me.user} />}
    </SignedInContext.Provider>
  );
}

function Routed() {
  const { router } = usePage();
  const { path } = useStore(router.place);
  // A provider of OpenID Connect sends everyone back to "/".
  useEffect(() => {
    const wanted = takeReturn();
    if (wanted !== undefined && wanted !== path && path === "/") router.go(wanted, "replace");
  }, []);
  const route = parseRoute(path);
  switch (route.view) {
    case "home":
      return <Home />;
    case "new":
      return <New />;
    case "sandbox":
      return <SandboxView key={route.id} id={route.id} />;
    case "admin":
      return <Admin page={route.page} />;
    case "nowhere":
      return <Nowhere />;
  }
}

const Nowhere = () => (
  <View title="There is nothing here">
    <p>
      This address leads nowhere. <a href="/">Go to my sandboxes</a>
    </p>
  </View>
);
