import { byId, part, setText } from "./dom.js";
import type { Sandbox } from "./types.js";

const dialog = () => byId("remove-dialog", HTMLDialogElement);

/** Asks whether to remove; Escape and "Keep it" say no. */
export function confirmRemove(sandbox: Sandbox): Promise<boolean> {
  const box = dialog();
  setText(
    byId("remove-text", HTMLParagraphElement),
    `“${sandbox.name}” and everything in it (containers, images, volumes) will be gone for good.`,
  );
  part(box, "yes", HTMLButtonElement).onclick = () => {
    box.close("yes");
  };
  part(box, "no", HTMLButtonElement).onclick = () => {
    box.close();
  };
  return new Promise((resolve) => {
    const answer = () => {
      resolve(box.returnValue === "yes");
    };
    box.addEventListener("close", answer, { once: true });
    box.returnValue = "";
    box.showModal();
  });
}

/** Says no, in case the question is open. */
export function cancelRemove(): void {
  dialog().close();
}
