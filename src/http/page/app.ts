// The page's start: shows the sign-in or, with a token that works, the sandboxes.

import { Api, ApiError, isPassing, problemOf } from "./api.js";
import { Connection } from "./connection.js";
import { byId, setText } from "./dom.js";
import { backoffMs, waitFor } from "./follow.js";
import { Home } from "./home.js";
import { forgetAll, loadToken, saveToken } from "./session.js";
import { SignIn } from "./sign-in.js";
import type { Me, Problem } from "./types.js";

const connection = new Connection();
const home = new Home(connection);
const who = byId("who", HTMLSpanElement);
const signOutButton = byId("sign-out", HTMLButtonElement);

const signIn = new SignIn((token, me) => {
  saveToken(token);
  showHome(apiFor(token), me);
  byId("home-title", HTMLHeadingElement).focus();
});

const apiFor = (token: string) =>
  new Api(token, () => {
    // Several requests may learn it at once, or one from before another sign-in.
    if (loadToken() !== token) return;
    signOut({
      title: "You are signed out",
      detail: "Your token is no longer valid. Sign in again.",
      code: "",
    });
  });

function showHome(api: Api, me: Me): void {
  signIn.hide();
  const role = me.role === "admin" ? "admin" : "";
  setText(who, [me.user, role].filter(Boolean).join(" · "));
  who.hidden = signOutButton.hidden = false;
  home.start(api, me);
}

function signOut(problem?: Problem): void {
  forgetAll();
  home.stop();
  connection.clear();
  who.hidden = signOutButton.hidden = true;
  signIn.show(problem);
}

/** Takes up the session of before the reload; waits for a server that does not answer. */
async function resume(token: string): Promise<void> {
  const api = apiFor(token);
  for (let attempt = 0; loadToken() === token; attempt++) {
    try {
      const me = await api.me();
      connection.set("me", true);
      showHome(api, me);
      return;
    } catch (error) {
      // onUnauthenticated has already signed out.
      if (error instanceof ApiError && error.status === 401) return;
      if (!isPassing(error)) {
        signOut(problemOf(error));
        return;
      }
      connection.set("me", false);
      await waitFor(backoffMs(attempt), new AbortController().signal);
    }
  }
}

signOutButton.addEventListener("click", () => {
  signOut();
});

const token = loadToken();
if (token === undefined) signIn.show();
else void resume(token);
