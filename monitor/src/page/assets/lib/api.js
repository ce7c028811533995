// @ts-check
// Requests to the server. Paths, parameters and answers are those of its OpenAPI document.

/** @import { Answer, Body, Parameters, Path } from "#types" */

/** The server's reason for refusing a request; status 0 where there was no answer at all. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * The address of a request: each `{name}` of the path filled, all other parameters behind a `?`.
 * @param {string} path
 * @param {Record<string, unknown>} parameters
 */
export function requestAddress(path, parameters = {}) {
  const rest = new Map(Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    const value = rest.get(name);
    rest.delete(name);
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams([...rest].map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${filled}${query ? `?${query}` : ""}`;
}

/**
 * @param {() => void} onLocked called where the server wants to know who asks
 */
export function createApi(onLocked) {
  /**
   * @param {string} method
   * @param {string} address
   * @param {unknown} [body]
   */
  async function request(method, address, body) {
    /** @type {RequestInit} */
    const sent = { method };
    if (body !== undefined) {
      sent.headers = { "Content-Type": "application/json" };
      sent.body = JSON.stringify(body);
    }
    /** @type {Response} */
    let answer;
    try {
      answer = await fetch(address, sent);
    } catch {
      throw new Refusal(0, "The monitor does not answer.");
    }
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    const content = isJson ? await answer.json() : null;
    if (answer.ok) return content;
    if (answer.status === 401) onLocked();
    throw new Refusal(answer.status, content?.error ?? `The monitor answered ${answer.status}.`);
  }

  return {
    /**
     * @template {Path<"get">} P
     * @param {P} path
     * @param {Parameters<"get", P>} [parameters]
     * @returns {Promise<Answer<"get", P>>}
     */
    get: (path, parameters) => request("GET", requestAddress(path, parameters)),
    /**
     * @template {Path<"post">} P
     * @param {P} path
     * @param {Body<"post", P>} body
     * @param {Parameters<"post", P>} [parameters]
     * @returns {Promise<Answer<"post", P>>}
     */
    post: (path, body, parameters) => request("POST", requestAddress(path, parameters), body === null ? undefined : body),
    /**
     * @template {Path<"put">} P
     * @param {P} path
     * @param {Parameters<"put", P>} [parameters]
     * @param {Body<"put", P>} [body]
     * @returns {Promise<Answer<"put", P>>}
     */
    put: (path, parameters, body) => request("PUT", requestAddress(path, parameters), body),
    /**
     * @template {Path<"delete">} P
     * @param {P} path
     * @param {Parameters<"delete", P>} [parameters]
     * @returns {Promise<Answer<"delete", P>>}
     */
    remove: (path, parameters) => request("DELETE", requestAddress(path, parameters)),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */
