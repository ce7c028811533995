// @ts-check
// Which page is shown: `#/jobs?text=film` shows the page `jobs`. Going back and forth, and links from elsewhere, work
// as anywhere.

/** @import { Deps, Mount, Page } from "#types" */

/** @typedef {{ path: string[], query: URLSearchParams }} Route */

/**
 * `{ path: ["jobs", ID], query }` as the address bar has it.
 * @returns {Route}
 */
export function currentRoute() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(query),
  };
}

/**
 * The address of a page.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} query
 */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path}${words ? `?${words}` : ""}`;
}

/**
 * Other words behind the `?`, without a step in the browser's history.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} query
 */
export function refine(path, query) {
  history.replaceState(null, "", address(path, query));
}

/** @param {Route} route */
function pageName({ path: [first = "overview", second] }) {
  return first === "jobs" && second ? "job" : first;
}

/** The page among the links that a page without a link of its own belongs to. @type {Record<string, string>} */
const HOMES = { job: "jobs", samples: "new" };

/**
 * Mounts pages into `main` by the address, one at a time. Links among `links` that lead to the shown page are marked.
 * @param {HTMLElement} main
 * @param {Iterable<HTMLAnchorElement>} links
 * @param {Record<string, Mount>} pages
 * @param {Deps} deps
 */
export function startRouter(main, links, pages, deps) {
  /** @type {{ name: string, element: HTMLElement, page: Page } | null} */
  let shown = null;

  /** @param {string} name */
  function change(name) {
    const isFirst = shown === null;
    shown?.page.unmount();
    shown?.element.remove();
    const element = document.createElement("div");
    element.className = "page";
    element.dataset.page = name;
    main.append(element);
    document.body.dataset.shown = name;
    for (const link of links) {
      const leadsTo = link.hash.replace(/^#\/?/, "") || "overview";
      if (leadsTo === (HOMES[name] ?? name)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    shown = { name, element, page: /** @type {Mount} */ (pages[name])(element, deps) };
    if (!isFirst) {
      scrollTo(0, 0);
      main.focus({ preventScroll: true });
    }
    return shown;
  }

  function go() {
    // A link within the page leads to no other.
    if (shown && location.hash && !location.hash.startsWith("#/")) return;
    const route = currentRoute();
    const wanted = pageName(route);
    const name = wanted in pages ? wanted : "overview";
    const { page } = shown?.name === name ? shown : change(name);
    page.show(route);
  }

  addEventListener("hashchange", go);
  go();
}
