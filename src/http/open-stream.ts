import type { Call } from "./route.js";
import type { SignIn } from "./sign-in/sign-in.js";
import { EventStream } from "./sse.js";

/** A stream that ends, too, when its reader signs out, is removed, or is no admin any more. */
export function openStream(
  signIn: SignIn,
  { caller, request, response }: Pick<Call<unknown, unknown>, "caller" | "request" | "response">,
  onClosed: () => void,
): EventStream {
  const stream = new EventStream(response, () => {
    release();
    onClosed();
  });
  const release = signIn.whileLetIn(request, caller, () => {
    stream.end();
  });
  return stream;
}
