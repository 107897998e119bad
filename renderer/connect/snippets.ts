/**
 * Lines to paste, per client, with this box's address and model filled in. Pure; runs in the browser. No key is ever part
 * of them: clients read it from the environment.
 */

export interface ConnectFacts {
  /** `http://192.168.1.20:4747/v1`. */
  readonly endpoint: string;
  readonly alias: string;
  /** Tokens of one request; null: not told. */
  readonly contextLength: number | null;
  readonly keyNeeded: boolean;
}

export interface Snippet {
  readonly where:
    | { readonly type: "terminal" }
    | { readonly type: "file"; readonly name: string }
    | { readonly type: "program" };
  readonly code: string;
}

export interface Client {
  readonly id: string;
  readonly label: string;
  /** The client's own page, for what is not told here. Opens outside; the desktop shell lets only these out. */
  readonly more: string | null;
  snippets(facts: ConnectFacts): readonly Snippet[];
}

/** Shown in place of a key; the key itself is never on the page. */
const keyPlaceholder = "lth_…";
/** A box that needs no key takes any word from clients that insist on one. */
const noKey = "none";

/** Text inside single quotes of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function terminal(...lines: string[]): Snippet {
  return { where: { type: "terminal" }, code: lines.join("\n") };
}

function exportKey(facts: ConnectFacts): string {
  return `export LANTHORN_API_KEY=${facts.keyNeeded ? keyPlaceholder : noKey}`;
}

export const clients: readonly Client[] = Object.freeze([
  {
    id: "curl",
    label: "curl",
    more: null,
    snippets(facts) {
      const body = `{
    "model": ${JSON.stringify(facts.alias)},
    "stream": true,
    "messages": [
      {"role": "user", "content": "Hello"}
    ]
  }`;
      return [
        terminal(
          ...(facts.keyNeeded ? [exportKey(facts)] : []),
          `curl -N ${facts.endpoint}/chat/completions \\`,
          ...(facts.keyNeeded ? [`  -H "Authorization: Bearer $LANTHORN_API_KEY" \\`] : []),
          `  -H 'Content-Type: application/json' \\`,
          `  -d ${quoted(body)}`,
        ),
      ];
    },
  },
  {
    id: "javascript",
    label: "JavaScript",
    more: "https://github.com/openai/openai-node",
    snippets: (facts) => [
      terminal("npm install openai", exportKey(facts)),
      {
        where: { type: "program" },
        code: `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: ${JSON.stringify(facts.endpoint)},
  apiKey: process.env.LANTHORN_API_KEY,
});
const stream = await client.chat.completions.create({
  model: ${JSON.stringify(facts.alias)},
  messages: [{ role: "user", content: "Hello" }],
  stream: true,
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? "");
}`,
      },
    ],
  },
  {
    id: "python",
    label: "Python",
    more: "https://github.com/openai/openai-python",
    snippets: (facts) => [
      terminal("pip install openai", exportKey(facts)),
      {
        where: { type: "program" },
        code: `import os
from openai import OpenAI

client = OpenAI(
    base_url=${JSON.stringify(facts.endpoint)},
    api_key=os.environ["LANTHORN_API_KEY"],
)
stream = client.chat.completions.create(
    model=${JSON.stringify(facts.alias)},
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="")`,
      },
    ],
  },
  {
    id: "opencode",
    label: "opencode",
    more: "https://opencode.ai/docs",
    snippets: (facts) => [
      { where: { type: "file", name: "opencode.json" }, code: JSON.stringify(opencodeConfig(facts), null, 2) },
      terminal(exportKey(facts), `opencode run "Hello"`),
    ],
  },
  {
    id: "qwen-code",
    label: "Qwen Code",
    more: "https://github.com/QwenLM/qwen-code",
    snippets: (facts) => [
      terminal(
        `export OPENAI_BASE_URL=${quoted(facts.endpoint)}`,
        `export OPENAI_API_KEY=${facts.keyNeeded ? keyPlaceholder : noKey}`,
        `export OPENAI_MODEL=${quoted(facts.alias)}`,
        `qwen -p "Hello"`,
      ),
    ],
  },
] satisfies Client[]);

/** opencode asks for 32,000 answer tokens unless it is told less, which a small context refuses. */
function opencodeConfig(facts: ConnectFacts): object {
  const context = facts.contextLength;
  const limit = context === null ? {} : { limit: { context, output: Math.max(1, Math.floor(context / 4)) } };
  return {
    $schema: "https://opencode.ai/config.json",
    model: `lanthorn/${facts.alias}`,
    provider: {
      lanthorn: {
        npm: "@ai-sdk/openai-compatible",
        name: "Lanthorn",
        options: { baseURL: facts.endpoint, apiKey: "{env:LANTHORN_API_KEY}" },
        models: { [facts.alias]: { name: facts.alias, ...limit } },
      },
    },
  };
}

/** The page's own address is one that works: it just did. */
export function endpointOf(origin: string): string {
  return `${origin}/v1`;
}

/** The certificate of a box that encrypts, and how a client gets it as a file. */
export interface BoxCertificate {
  readonly fingerprint: string;
  readonly save: string;
}

/** `host` with its port, as the page's own address has it. Null: the box does not say, or something before it encrypts. */
export function certificateOf(
  version: { readonly fingerprint?: string | null | undefined } | undefined,
  host: string,
): BoxCertificate | null {
  const fingerprint = version?.fingerprint ?? null;
  if (fingerprint === null) return null;
  const address = /:\d+$/.test(host) ? host : `${host}:443`;
  const save = `openssl s_client -connect ${address} </dev/null | openssl x509 > lanthorn.crt`;
  return { fingerprint, save };
}

/** True for addresses that reach only the machine they are typed on. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.endsWith(".localhost") || /^127\./.test(hostname);
}
