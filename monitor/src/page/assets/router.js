// Which page is shown: `#/jobs?text=film` shows the page `jobs`. Going back and
// forth, and links from elsewhere, work as anywhere.

const shown = { page: null, leave: null };

/** `{ path: ["jobs", ID], query }` as the address bar has it. */
export function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(query),
  };
}

/** The address of a page. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const words = new URLSearchParams(given).toString();
  return `#/${path}${words ? `?${words}` : ""}`;
}

/** Other words behind the `?`, without a step in the history. */
export function refine(path, query) {
  history.replaceState(null, "", address(path, query));
}

/**
 * Shows pages by what `pages[name]` gives: `enter(place)` is called when one is
 * shown, and what that returns when it is left.
 */
export function route(pages) {
  function go() {
    // A link within the page leads to no other.
    if (shown.page && location.hash && !location.hash.startsWith("#/")) return;
    const here = place();
    const first = here.path[0] ?? "overview";
    const name = first === "jobs" && here.path[1] ? "job" : first in pages ? first : "overview";
    shown.leave?.();
    for (const element of document.querySelectorAll("[data-page]")) {
      element.toggleAttribute("data-away", element.dataset.page !== name);
    }
    for (const link of document.querySelectorAll(".sections a")) {
      const isHere = link.hash.replace(/^#\/?/, "") === (name === "job" ? "jobs" : name === "overview" ? "" : name);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const isOther = shown.page !== null && shown.page !== name;
    shown.page = name;
    document.body.dataset.shown = name;
    shown.leave = pages[name]?.(here) ?? null;
    if (isOther) {
      scrollTo(0, 0);
      document.getElementById("main").focus({ preventScroll: true });
    }
  }
  addEventListener("hashchange", go);
  go();
}

/** The page that is shown. */
export const current = () => shown.page;
