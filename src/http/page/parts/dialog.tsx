import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./ui.js";

/** A modal question; the browser keeps the focus inside and takes Escape for a no. */
export function Dialog(props: {
  id: string;
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the effects of what is inside, which may put the focus where it is of more use.
  useLayoutEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      // By hand: the browser gives the focus back only for a dialog that is still in the page.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby={`${props.id}-title`}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

export function Confirm(props: {
  title: string;
  yes: string;
  onYes: () => void;
  onNo: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog id="confirm" title={props.title} onClose={props.onNo}>
      <p>{props.children}</p>
      <div class="actions end">
        <Button onClick={props.onNo}>Keep it</Button>
        <Button kind="danger" onClick={props.onYes}>
          {props.yes}
        </Button>
      </div>
    </Dialog>
  );
}
