import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../model/copy.js";
import { usePage } from "./context.js";

const saidForMs = 1600;

/** Copies `text` and says so. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const { announce } = usePage();
  const [said, setSaid] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );
  const copy = async () => {
    const answer = (await copyText(text)) ? "Copied" : "Please copy by hand";
    setSaid(answer);
    announce(answer);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setSaid(undefined);
    }, saidForMs);
  };
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      {said ?? "Copy"}
      <span class="unseen"> {what}</span>
    </button>
  );
}
