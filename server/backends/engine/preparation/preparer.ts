/**
 * The preparation process as the server sees it: prompts in, tokens out; started by the first prompt, replaced when it dies
 * or falls silent. Runs in the server process and never loads node-llama-cpp itself.
 */
import { Failure } from "../../../domain/failure.ts";
import type { Clock, Log } from "../../../domain/ports.ts";
import {
  type FromPreparer,
  type PrepareMessage,
  type PromptInput,
  type ToPreparer,
  unpackTokens,
  type VocabularyFile,
} from "./protocol.ts";
import { nextPrompt } from "./next-prompt.ts";
import type { Preparation } from "./prompts.ts";
import type { EngineProcess, StartProcess } from "../start-process.ts";

export type StartPreparer = StartProcess<ToPreparer, FromPreparer>;

export interface PrepareWish {
  readonly file: VocabularyFile;
  readonly prompt: PromptInput;
  readonly contextLength: number;
}

export interface Preparer {
  /**
   * Throws `invalid_request` for what the template refuses, `model_unavailable` when the vocabulary cannot be read,
   * `worker_died` when the process died twice while it held this prompt.
   */
  prepare(wish: PrepareWish): Promise<Preparation>;
  /** Null while nothing was prepared yet. */
  readonly pid: number | null;
  close(): void;
}

export interface PreparerOptions {
  readonly start: StartPreparer;
  readonly clock: Clock;
  readonly log: Log;
  /** A process that says nothing for longer, while it has something to answer, is replaced. */
  readonly silenceLimitMs: number;
  /** The same for its first word: a busy machine starts processes slowly. */
  readonly startLimitMs: number;
  readonly templateTimeLimitMs: number;
}

/** A prompt that was there at two deaths may be their cause: it is not tried a third time. */
const mostTries = 2;
/** No token of any vocabulary in use is longer: a text beyond it is too long whatever it says. Characters. */
const longestToken = 512;

interface Pending {
  readonly message: PrepareMessage;
  readonly characters: number;
  passedOver: number;
  tries: number;
  resolve(preparation: Preparation): void;
  reject(failure: Failure): void;
}

export function createPreparer(options: PreparerOptions): Preparer {
  const { clock, log } = options;
  /** Not yet sent, in the order of arrival. */
  let waiting: Pending[] = [];
  /** Sent and not yet answered, by id. */
  const inHand = new Map<number, Pending>();
  let process: EngineProcess<ToPreparer> | null = null;
  let closed = false;
  let lastId = 0;
  let heard = false;
  let lastHeardMs = 0;
  let stopWatching: (() => void) | null = null;

  /** Sends what the process may have now. */
  function sendNext(): void {
    for (;;) {
      const charactersInHand = [...inHand.values()].reduce((sum, one) => sum + one.characters, 0);
      const at = nextPrompt(waiting, charactersInHand);
      const one = waiting[at];
      if (one === undefined) return;
      for (const earlier of waiting.slice(0, at)) earlier.passedOver += 1;
      waiting = waiting.filter((other) => other !== one);
      inHand.set(one.message.id, one);
      send(one);
    }
  }

  function send(one: Pending): void {
    one.tries += 1;
    if (process === null) start();
    process?.send(one.message);
    if (stopWatching === null) {
      lastHeardMs = clock.monotonicMs();
      watch();
    }
  }

  function start(): void {
    const started = options.start({
      onMessage: receive,
      onExit: (reason) => {
        if (process === started) died(reason);
      },
    });
    process = started;
    heard = false;
    lastHeardMs = clock.monotonicMs();
  }

  function died(reason: string): void {
    process = null;
    if (closed) return;
    log.error({ reason, prompts: inHand.size }, "the process that prepares prompts died");
    const held = [...inHand.values()];
    inHand.clear();
    waiting = [...held.filter((one) => one.tries < mostTries), ...waiting];
    for (const one of held) {
      if (one.tries >= mostTries) {
        const message = "The process that prepares prompts ended while it held this one; it is being restarted.";
        one.reject(new Failure("worker_died", message));
      }
    }
    sendNext();
  }

  /** Looks only while something is due. A template has its own, shorter limit. */
  function watch(): void {
    process?.send({ type: "ping" });
    stopWatching = clock.after(options.silenceLimitMs / 4, () => {
      stopWatching = null;
      if (inHand.size === 0) return;
      const limitMs = heard ? options.silenceLimitMs : options.startLimitMs;
      if (clock.monotonicMs() - lastHeardMs > limitMs) {
        log.error({ limitMs }, "the process that prepares prompts stopped answering");
        process?.kill();
        lastHeardMs = clock.monotonicMs();
      }
      watch();
    });
  }

  function receive(message: FromPreparer): void {
    heard = true;
    lastHeardMs = clock.monotonicMs();
    if (message.type === "pong") return;
    const one = inHand.get(message.id);
    inHand.delete(message.id);
    sendNext();
    if (one === undefined) return;
    switch (message.type) {
      case "prepared":
        one.resolve({ prompts: message.prompts.map(({ tokens, echo }) => ({ tokens: unpackTokens(tokens), echo })) });
        return;
      case "too-long":
        one.resolve({ tooLong: { promptTokens: message.promptTokens, exact: message.exact } });
        return;
      case "refused":
        one.reject(new Failure(message.code, message.message, message.param === null ? {} : { param: message.param }));
        return;
      case "unreadable":
        log.error({ reason: message.reason }, "a vocabulary could not be read");
        one.reject(new Failure("model_unavailable", "The engine cannot read this model's vocabulary (see the log)."));
    }
  }

  return {
    get pid() {
      return process?.pid ?? null;
    },
    prepare({ file, prompt, contextLength }) {
      if (closed) return Promise.reject(new Failure("shutting_down", "The box is shutting down."));
      const characters = lengthOf(prompt);
      if (longestOf(prompt) > contextLength * longestToken) {
        return Promise.resolve({ tooLong: { promptTokens: contextLength, exact: false } });
      }
      lastId += 1;
      const id = lastId;
      const { templateTimeLimitMs } = options;
      const message: PrepareMessage = { type: "prepare", id, file, prompt, contextLength, templateTimeLimitMs };
      return new Promise((resolve, reject) => {
        waiting.push({ message, characters, passedOver: 0, tries: 0, resolve, reject });
        sendNext();
      });
    },
    close() {
      closed = true;
      stopWatching?.();
      process?.kill();
      for (const one of [...inHand.values(), ...waiting]) {
        one.reject(new Failure("shutting_down", "The box is shutting down."));
      }
      inHand.clear();
      waiting = [];
    },
  };
}

/** Characters in all, about; a token id counts as one. */
function lengthOf(prompt: PromptInput): number {
  if (prompt.type === "chat") return prompt.messages.reduce((sum, message) => sum + message.content.length, 0);
  return prompt.prompts.reduce((sum, one) => sum + one.length, prompt.suffix?.length ?? 0);
}

/** Characters of the longest text that must fit on its own. */
function longestOf(prompt: PromptInput): number {
  if (prompt.type === "chat") return lengthOf(prompt);
  return prompt.prompts.reduce((most, one) => (typeof one === "string" ? Math.max(most, one.length) : most), 0);
}
