import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../model/api.js";
import type { Connection } from "../model/connection.js";
import type { Router } from "../model/router.js";
import type { Session } from "../model/session.js";
import { Store } from "../model/store.js";
import type { Me } from "../model/types.js";

/** What every part of the page may ask for, signed in or not. */
export interface Page {
  session: Session;
  connection: Connection;
  router: Router;
  /** Says a text to screen readers, after what they are saying now. */
  announce: (text: string) => void;
  spoken: Store<string[]>;
}

export interface SignedIn {
  api: Api;
  me: Me;
  /** Whether the session has ended: nothing is asked until the next sign-in. */
  expired: boolean;
}

export const PageContext = createContext<Page | undefined>(undefined);
export const SignedInContext = createContext<SignedIn | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new TypeError("used outside of the page");
  return page;
}

export function useSignedIn(): SignedIn {
  const signedIn = useContext(SignedInContext);
  if (!signedIn) throw new TypeError("used by nobody signed in");
  return signedIn;
}

const spokenKept = 4;

export function speaker() {
  const spoken = new Store<string[]>([]);
  const announce = (text: string) => {
    spoken.set([...spoken.value, text].slice(-spokenKept));
  };
  return { spoken, announce };
}
