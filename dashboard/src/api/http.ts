/**
 * Requests to the site: same-origin, with the session's cookie, JSON in and out.
 *
 * Every failure is an `ApiError` with what was wrong and, where the site says so, the fix. A request that ends because the login has ended
 * calls `onSignedOut` as well. Requests give up after 15 s.
 */

const TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fix = "",
    /** Messages by field, for forms. */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** What went wrong and what to do, in words; what nobody foresaw goes to the browser's console. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) return [error.message, error.fix].filter(Boolean).join(" ");
  reportError(error);
  return "Unexpected error in this page; the browser's console has it. Reload the page.";
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Row = { readonly [key: string]: Json };
export type Method = "GET" | "POST" | "PUT" | "DELETE";

export class Http {
  constructor(private readonly onSignedOut: () => void) {}

  /** Send a request. The answer of a status in `alsoGood` is an answer, not a failure. */
  async send(method: Method, path: string, body?: Json, alsoGood: readonly number[] = []): Promise<Json> {
    const sent: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    if (method !== "GET") sent["X-CSRFToken"] = cookie("csrftoken");
    const response = await this.fetch(path, {
      method,
      headers: sent,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await read(response);
    const good = response.ok || alsoGood.includes(response.status);
    if (good && answer !== undefined && !signedOut(response)) return answer;
    if (signedOut(response)) {
      this.onSignedOut();
      throw new ApiError(401, "The login has ended.", "Sign in again.");
    }
    throw failure(response.status, answer);
  }

  private async fetch(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(path, request);
    } catch (error) {
      const late = error instanceof DOMException && error.name === "TimeoutError";
      throw new ApiError(
        0,
        late ? `The site did not answer within ${TIMEOUT_MS / 1000} seconds.` : "The site cannot be reached.",
        "Check that polybot is running and that this device has a connection.",
      );
    }
  }
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(name.length + 1));
}

/** The JSON of a response, `null` for an empty one, `undefined` for anything else. */
async function read(response: Response): Promise<Json | undefined> {
  const text = await response.text();
  if (text === "") return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function signedOut(response: Response): boolean {
  if (response.status === 401) return true;
  return response.redirected && new URL(response.url).pathname.startsWith("/login");
}

export function isRow(value: Json | undefined): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failure(status: number, answer: Json | undefined): ApiError {
  if (!isRow(answer))
    return new ApiError(status, `The site answered with status ${status}.`, "See the web process's log.");
  const detail = answer["detail"] ?? answer["error"] ?? `status ${status}`;
  const fix = answer["fix"];
  const fields: Record<string, string> = {};
  if (isRow(detail)) {
    for (const [name, texts] of Object.entries(detail))
      fields[name] = Array.isArray(texts) ? texts.join(" ") : String(texts);
  }
  const message = isRow(detail)
    ? Object.entries(fields)
        .map(([name, text]) => `${name}: ${text}`)
        .join(" ")
    : String(detail);
  return new ApiError(status, message, typeof fix === "string" ? fix : "", fields);
}
