import { announce } from "./dom.js";

const saidForMs = 1600;

/** Makes `button` copy what `text` gives, and say so. */
export function copyOnClick(button: HTMLButtonElement, text: () => string): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const label = button.textContent;
  button.addEventListener("click", () => {
    void copy(text()).then((copied) => {
      button.textContent = copied ? "Copied" : "Please copy by hand";
      announce(button.textContent);
      clearTimeout(timer);
      timer = setTimeout(() => (button.textContent = label), saidForMs);
    });
  });
}

async function copy(text: string): Promise<boolean> {
  try {
    // Browsers have it only on https and localhost; a Berth in a lab is often plain http.
    if (window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused: the old way may still work.
  }
  return copyTheOldWay(text);
}

function copyTheOldWay(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on plain http
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
