/**
 * The one way out of this program: every call to another machine, with the proxies and certificate authorities of the
 * environment and the settings. Runs in the server and the CLI. `fetch` and its agents both come from undici, because
 * Node's own fetch does not take these agents.
 *
 * No redirect is followed. Whoever calls knows which headers a new host may see, so it gets the 3xx and decides.
 */
import { Agent, type Dispatcher, fetch, ProxyAgent, type RequestInit, type Response } from "undici";
import { trustedAuthorities } from "./authorities.ts";
import { pinnedConnector } from "./pin.ts";
import { type ProxySettings, proxyFor, readProxySettings } from "./proxy-choice.ts";

export interface UpstreamSettings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `network.caFile`, absolute; empty: none. */
  readonly caFile: string;
  /** SHA-256 of the one certificate that is accepted; such a server is called directly, without a proxy. */
  readonly fingerprint?: string | null;
  readonly connectTimeoutMs?: number;
  /** From the request to the first byte of the answer; 0: no limit. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of an answer; 0: no limit. */
  readonly bodyTimeoutMs?: number;
}

export interface UpstreamFetch {
  /** undici's fetch; a 3xx is an answer like any other. */
  fetch(url: string | URL, init?: Omit<RequestInit, "dispatcher" | "redirect">): Promise<Response>;
  /** For undici's `request`, `stream` and the like: what carries a call to this address. */
  dispatcherFor(url: URL): Dispatcher;
  /** No proxy carries a call to this address: its name is looked up by this machine. */
  isDirect(url: URL): boolean;
  /** Cuts what is still running. */
  close(): Promise<void>;
}

const defaultConnectTimeoutMs = 10_000;

/** Reads files and connects only when the first call needs it. `fetch` throws Failure `cannot_start` for wrong settings. */
export function createUpstreamFetch(settings: UpstreamSettings): UpstreamFetch {
  const { environment, caFile, fingerprint = null, connectTimeoutMs = defaultConnectTimeoutMs } = settings;
  /** By proxy; the empty name is none. */
  const agents = new Map<string, Dispatcher>();
  let proxies: ProxySettings | null = null;
  let authorities: string[] | null | undefined;

  const limits = {
    ...(settings.headersTimeoutMs === undefined ? {} : { headersTimeout: settings.headersTimeoutMs }),
    ...(settings.bodyTimeoutMs === undefined ? {} : { bodyTimeout: settings.bodyTimeoutMs }),
  };

  function tlsOptions(): { readonly ca?: string[] } {
    authorities ??= trustedAuthorities({ caFile, environment });
    return authorities === null ? {} : { ca: authorities };
  }

  function createAgent(proxy: string | null, isTls: boolean): Dispatcher {
    if (fingerprint !== null) {
      return new Agent({ ...limits, connect: pinnedConnector(fingerprint, connectTimeoutMs) });
    }
    // Plain calls need no certificates, and a wrong file for them must not stop `lanthorn` on its own machine.
    const needsTls = isTls || proxy?.startsWith("https:") === true;
    const tls = needsTls ? tlsOptions() : {};
    if (proxy === null) return new Agent({ ...limits, connect: { timeout: connectTimeoutMs, ...tls } });
    return new ProxyAgent({ ...limits, uri: proxy, connectTimeout: connectTimeoutMs, requestTls: tls, proxyTls: tls });
  }

  function proxyOf(url: URL): string | null {
    proxies ??= readProxySettings(environment);
    return fingerprint !== null ? null : proxyFor(url, proxies);
  }

  function dispatcherFor(url: URL): Dispatcher {
    const isTls = url.protocol === "https:";
    if (fingerprint !== null && !isTls) throw new Error("a server known by its certificate is called over TLS only");
    const proxy = proxyOf(url);
    const name = `${url.protocol} ${proxy ?? ""}`;
    const known = agents.get(name);
    if (known !== undefined) return known;
    const agent = createAgent(proxy, isTls);
    agents.set(name, agent);
    return agent;
  }

  return {
    fetch: async (url, init = {}) => {
      const target = new URL(url);
      return fetch(target, { ...init, redirect: "manual", dispatcher: dispatcherFor(target) });
    },
    dispatcherFor,
    isDirect: (url) => proxyOf(url) === null,
    close: async () => {
      const closing = [...agents.values()];
      agents.clear();
      await Promise.all(closing.map((agent) => agent.destroy()));
    },
  };
}
