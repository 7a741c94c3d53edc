import { parseRoute, type Router } from "./router.js";

/** Makes links between views change the view without loading the page anew; all others stay links. */
export function followLinks(document: Document, router: Router): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    // Into another tab or window, as the user wishes.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link?.target !== "" || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.getAttribute("href")?.startsWith("#")) return;
    if (parseRoute(link.pathname).view === "nowhere") return;
    event.preventDefault();
    router.go(link.pathname);
  });
  window.addEventListener("popstate", () => {
    router.follow();
  });
}
