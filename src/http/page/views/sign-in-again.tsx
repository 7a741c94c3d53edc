import type { Ways } from "../model/session.js";
import { usePage } from "../parts/context.js";
import { Dialog } from "../parts/dialog.js";
import { Button, Name } from "../parts/ui.js";
import { SignInForms } from "./sign-in.js";

/** Laid over the page when the session has ended: what was typed below stays for the same user. */
export function SignInAgain({ ways, user }: { ways: Ways; user: string | undefined }) {
  const { session } = usePage();
  const leave = () => {
    session.leave();
  };
  return (
    <Dialog id="again" title="You are signed out" onClose={leave}>
      <p>
        Your session is over. Sign in again
        {user !== undefined && (
          <>
            {" as "}
            <Name>{user}</Name>
          </>
        )}
        , and everything is still where it was.
      </p>
      <SignInForms ways={ways} user={user} />
      <div class="actions end">
        <Button kind="quiet" onClick={leave}>
          Leave this page
        </Button>
      </div>
    </Dialog>
  );
}
