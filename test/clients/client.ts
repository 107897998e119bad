/**
 * What the harness knows of a client, and what it says about one. Types only.
 *
 * A client is one file in `clients/` and one line in `clients/index.ts`. An SDK says how each thing is asked for in its own
 * words and what its own errors are; an agent says how it is started. What is tried with them is in the `-cases` files.
 */

/** One row of the table. */
export interface Outcome {
  readonly client: string;
  readonly version: string;
  readonly case: string;
  readonly result: "ok" | "failed" | "not applicable";
  /** Why it failed, or why it does not apply; empty for ok. */
  readonly reason: string;
  readonly seconds: number;
}

/** Where a client connects. */
export interface Address {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Tries after the first. */
  readonly retries: number;
}

export interface Ask {
  readonly model: string;
  readonly prompt: string;
  readonly signal?: AbortSignal;
}

export interface Said {
  readonly text: string;
  /** As the SDK names it; "" where it does not tell. */
  readonly finish: string;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
}

/** A tool with one text argument, which is all the cases need. */
export interface OneTool {
  readonly name: string;
  readonly argument: string;
  run(value: string): string;
}

export interface SdkDriver {
  whole(ask: Ask): Promise<Said>;
  /** `heard` gets each piece of text as it comes. */
  streamed(ask: Ask, heard: (piece: string) => void): Promise<Said>;
  /** Asks, runs the tool the model calls, sends its answer back, and resolves to the last text: each SDK by its own means. */
  withTool(ask: Ask, tool: OneTool): Promise<string>;
  /** Any JSON object: `response_format` of type `json_object`. */
  json(ask: Ask): Promise<unknown>;
  /** An object with one text property: `response_format` of type `json_schema`. */
  schema(ask: Ask, property: string): Promise<unknown>;
}

/** A native error: the name of its class, and the HTTP status it carries (null: none). */
export interface NativeError {
  readonly name: string;
  readonly status: number | null;
}

export interface SdkErrors {
  readonly unauthorised: NativeError;
  readonly limited: NativeError;
  readonly internal: NativeError;
  readonly overflow: NativeError;
  /** An error frame within a stream. */
  readonly midStream: NativeError;
  readonly aborted: NativeError;
  /** Null: a stream that its user aborts just ends. */
  readonly abortedStream: NativeError | null;
}

export interface SdkClient {
  readonly kind: "sdk";
  readonly id: string;
  /** Folder in `node_modules` whose version is told. */
  readonly package: string;
  readonly errors: SdkErrors;
  /** `load` imports a package from where the clients are installed. */
  connect(load: (specifier: string) => Promise<unknown>, address: Address): Promise<SdkDriver>;
}

/** Where one run of an agent happens. All folders are new and its own. */
export interface Place {
  readonly home: string;
  /** Its working folder, where it is to write. */
  readonly folder: string;
  readonly address: Omit<Address, "retries">;
  readonly model: string;
  /** Tokens of one request. */
  readonly contextLength: number;
}

export interface StartWishes {
  /** Go on with the last conversation in this folder. */
  readonly resume: boolean;
  /** False: without requests beside the conversation (a title for it), where the agent can be told so. */
  readonly sideRequests: boolean;
}

export interface AgentStart {
  /** The program, then its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Written before the first start: path → content. */
  readonly files: Readonly<Record<string, string>>;
}

export interface AgentClient {
  readonly kind: "agent";
  readonly id: string;
  readonly package: string;
  /** What it says at its end when the prompt cannot fit. */
  readonly overflowWords: RegExp;
  /** Before it gives up it asks, without tools, for a shorter form of the conversation. */
  readonly shortens: boolean;
  /** `installed` is the `node_modules` folder of the clients. */
  start(installed: string, place: Place, prompt: string, wishes: StartWishes): AgentStart;
}

export type Client = SdkClient | AgentClient;
