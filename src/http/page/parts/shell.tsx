import type { ComponentChildren } from "preact";
import icon from "../icon.svg";
import { adminPath } from "../model/router.js";
import type { Role } from "../model/types.js";
import { usePage } from "./context.js";
import { useAction, useStore } from "./hooks.js";
import { Button, Name, ProblemBox } from "./ui.js";

/** What is around every view: the bar, the notice of a lost connection, and what is said aloud. */
export function Shell(props: {
  user?: { name: string; role: Role } | undefined;
  children: ComponentChildren;
}) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header user={props.user} />
      <LostNotice />
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
      <Announcer />
    </>
  );
}

function Header({ user }: { user: { name: string; role: Role } | undefined }) {
  const { session } = usePage();
  const signOut = useAction(() => session.signOut());
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href="/" aria-label="Berth, my sandboxes">
          <img src={icon} alt="" width="30" height="30" />
          Berth
        </a>
        {user && (
          <>
            <nav aria-label="Main">
              <NavLink href="/" isHere={(path) => !path.startsWith("/admin")}>
                My sandboxes
              </NavLink>
              {user.role === "admin" && (
                <NavLink href={adminPath("sandboxes")} isHere={(path) => path.startsWith("/admin")}>
                  Admin
                </NavLink>
              )}
            </nav>
            <span class="who">
              <Name>{user.name}</Name>
              {user.role === "admin" && " · admin"}
            </span>
            <Button kind="quiet" busy={signOut.busy && "Signing out…"} onClick={signOut.run}>
              Sign out
            </Button>
          </>
        )}
      </div>
      <ProblemBox problem={signOut.problem} />
    </header>
  );
}

export function NavLink(props: {
  href: string;
  isHere: (path: string) => boolean;
  children: ComponentChildren;
}) {
  const { path } = useStore(usePage().router.place);
  return (
    <a href={props.href} aria-current={props.isHere(path) ? "page" : undefined}>
      {props.children}
    </a>
  );
}

function LostNotice() {
  const isLost = useStore(usePage().connection.isLost);
  return (
    <div class="offline" id="offline" role="status">
      {isLost && "Connection to Berth lost, trying again…"}
    </div>
  );
}

function Announcer() {
  const spoken = useStore(usePage().spoken);
  return (
    <div class="unseen" role="log" aria-live="polite" aria-label="News">
      {spoken.map((text, index) => (
        <p key={index}>{text}</p>
      ))}
    </div>
  );
}
