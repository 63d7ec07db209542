/** What VS Code puts into every webview; may be called once. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** A page's end of the line to the extension host. */
export interface Host<Outgoing, State> {
  post(message: Outgoing): void;
  /** What the page remembered before it was hidden or reloaded. */
  readonly state: Partial<State>;
  /** Changes some of what the page remembers. */
  remember(change: Partial<State>): void;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/**
 * Opens the line to the extension host: every message that has a `type` goes to `receive`. The
 * messages come from our own host over a private channel, so their shape is trusted here.
 */
export function connect<Incoming extends { readonly type: string }, Outgoing, State extends object>(
  receive: (message: Incoming) => void,
): Host<Outgoing, State> {
  const api = acquireVsCodeApi();
  const remembered = api.getState();
  let state: Partial<State> = isObject(remembered) ? (remembered as Partial<State>) : {};
  window.addEventListener('message', event => {
    if (isObject(event.data) && typeof event.data['type'] === 'string') {
      receive(event.data as unknown as Incoming);
    }
  });
  return {
    post: message => api.postMessage(message),
    get state() {
      return state;
    },
    remember: change => {
      state = { ...state, ...change };
      api.setState(state);
    },
  };
}
