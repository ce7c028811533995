// The live state: one EventSource, kept alive.

/** The server sends its clock every 10 s: without it for this long the link is dead. */
const SILENCE = 25_000;
/** Wait before connecting again where the browser has given up. */
const AGAIN = 2_000;
/** A page in the background gives its connection back after this long: browsers allow six to one server. */
const BACKGROUND = 60_000;

/**
 * Follows `url`. `on.whole(sections)` and `on.change(sections)` bring state,
 * `on.clock(time)` the server's time, `on.link(up)` tells whether there is a
 * connection.
 */
export function follow(url, on) {
  let source = null;
  let silence = 0;
  let again = 0;
  let background = 0;

  function close() {
    source?.close();
    source = null;
    clearTimeout(silence);
    clearTimeout(again);
  }

  function lost(wait) {
    close();
    on.link(false);
    again = setTimeout(open, wait);
  }

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(() => lost(0), SILENCE);
  }

  function open() {
    close();
    source = new EventSource(url);
    heard();
    const receive = (name, take) =>
      source.addEventListener(name, (event) => {
        heard();
        take(JSON.parse(event.data));
      });
    receive("clock", (at) => on.clock(Date.parse(at)));
    receive("state", on.whole);
    receive("change", on.change);
    source.addEventListener("open", () => on.link(true));
    source.addEventListener("error", () => {
      // An answer other than a stream ends an EventSource for good.
      if (source?.readyState === EventSource.CLOSED) lost(AGAIN);
      else on.link(false);
    });
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(background);
    if (document.hidden) background = setTimeout(close, BACKGROUND);
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
