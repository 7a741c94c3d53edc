// Every view has an address, so that a reload, a bookmark and the back button lead where one was.

import { Store } from "./store.js";

export const adminPages = ["sandboxes", "users", "host", "events", "images"] as const;
export type AdminPage = (typeof adminPages)[number];

export type Route =
  | { view: "home" }
  | { view: "new" }
  | { view: "sandbox"; id: string }
  | { view: "admin"; page: AdminPage }
  | { view: "nowhere" };

export function parseRoute(path: string): Route {
  const [first = "", second = "", ...rest] = path.replace(/^\/|\/$/g, "").split("/");
  if (rest.length > 0) return { view: "nowhere" };
  if (first === "" && second === "") return { view: "home" };
  if (first === "new" && second === "") return { view: "new" };
  if (first === "sandboxes" && second !== "") return { view: "sandbox", id: decoded(second) };
  if (first === "admin") {
    const page = adminPages.find((name) => name === (second || "sandboxes"));
    if (page) return { view: "admin", page };
  }
  return { view: "nowhere" };
}

export const sandboxPath = (id: string) => `/sandboxes/${encodeURIComponent(id)}`;
export const adminPath = (page: AdminPage) => (page === "sandboxes" ? "/admin" : `/admin/${page}`);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export interface Place {
  path: string;
  /** Counts visits: the first is a load of the page, after which focus stays where the browser puts it. */
  visit: number;
}

/** What of a browser's window says where it is. */
export interface Around {
  location: { pathname: string };
  history: {
    pushState: (data: unknown, unused: string, url: string) => void;
    replaceState: (data: unknown, unused: string, url: string) => void;
  };
  scrollTo: (x: number, y: number) => void;
}

/** The address bar, as the page follows and sets it. */
export class Router {
  readonly place: Store<Place>;

  constructor(private readonly window: Around) {
    this.place = new Store({ path: window.location.pathname, visit: 0 });
  }

  go(path: string, how: "push" | "replace" = "push"): void {
    if (how === "push") this.window.history.pushState(null, "", path);
    else this.window.history.replaceState(null, "", path);
    this.follow();
    this.window.scrollTo(0, 0);
  }

  /** The browser has gone somewhere: back, say. */
  follow(): void {
    const { pathname } = this.window.location;
    const { path, visit } = this.place.value;
    // To a place within the view, say: the skip link's.
    if (pathname === path) return;
    this.place.set({ path: pathname, visit: visit + 1 });
  }
}
