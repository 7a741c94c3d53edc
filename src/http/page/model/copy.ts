/** Puts `text` on the clipboard; false when the browser lets us do it neither way. */
export async function copyText(text: string): Promise<boolean> {
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

// The browser reads the blob after the click; a minute is long enough for it and short for a key.
const blobKeptMs = 60_000;

/** Saves `blob` as a download. */
export function saveFile(blob: Blob, fileName: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, blobKeptMs);
}
