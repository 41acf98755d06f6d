/**
 * The way to the login page, taken once however many things notice that the login has ended.
 *
 * Signing out ends the live connection as well, so that the request and the socket both lead there: a second navigation would abort the
 * first. A page that the browser brings back from its history may leave again.
 */
const LOGIN = "/login/?next=/";

/** What the way needs of the browser's window. */
export interface Leaving {
  readonly location: Pick<Location, "assign">;
  addEventListener(type: "pageshow", listener: () => void): void;
}

/** Return the function that goes to the login. */
export function toLogin(window: Leaving): () => void {
  let left = false;
  window.addEventListener("pageshow", () => {
    left = false;
  });
  return () => {
    if (left) return;
    left = true;
    window.location.assign(LOGIN);
  };
}
