/**
 * The server's end of the reader thread: starts it at the first question, pairs answers with questions, and starts it
 * again after it died. Runs on the server's thread.
 */
import { Worker } from "node:worker_threads";
import { Failure } from "../../domain/failure.ts";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import type { Answered, Asked, Questions, QuestionName, ReaderData } from "./protocol.ts";

/** Questions that may wait for the thread. A report takes milliseconds, so this many mean that something is wrong. */
const mostWaiting = 1000;

export interface ReaderLink {
  /** Rejects with Failure `ledger_unavailable`. */
  ask<Name extends QuestionName>(name: Name, given: Questions[Name]["given"]): Promise<Questions[Name]["answer"]>;
  /** True while the thread runs. */
  running(): boolean;
  /** Answers what was asked, then ends the thread. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (answer: Questions[QuestionName]["answer"]) => void;
  readonly reject: (failure: Failure) => void;
}

function unreadable(cause: unknown): Failure {
  return new Failure("ledger_unavailable", "The ledger cannot be read at the moment.", { cause });
}

export function createReaderLink(path: string): ReaderLink {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | null = null;
  let lastId = 0;
  let isClosed = false;

  function start(): Worker {
    const data: ReaderData = { path };
    const worker = new Worker(resolveSibling(import.meta.url, "./thread"), {
      workerData: data,
      execArgv: [],
      name: "ledger-reader",
    });
    // Idle, it is no reason for the process to stay; a question that waits is.
    worker.unref();
    worker.on("message", (answered: Answered) => {
      const asker = waiting.get(answered.id);
      waiting.delete(answered.id);
      if (waiting.size === 0) worker.unref();
      if (asker === undefined) return;
      if ("problem" in answered) asker.reject(unreadable(new Error(answered.problem)));
      else if ("answer" in answered) asker.resolve(answered.answer);
      else asker.resolve(JSON.parse(answered.text) as Questions[QuestionName]["answer"]);
    });
    let cause: unknown = new Error("the reader thread ended");
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      if (thread === worker) thread = null;
      for (const asker of waiting.values()) asker.reject(unreadable(cause));
      waiting.clear();
    });
    return worker;
  }

  function send<Name extends QuestionName>(
    worker: Worker,
    name: Name,
    given: Questions[Name]["given"],
  ): Promise<Questions[Name]["answer"]> {
    lastId += 1;
    const id = lastId;
    worker.ref();
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, given } as Asked);
    });
  }

  return {
    async ask(name, given) {
      if (isClosed) throw unreadable(new Error("the ledger is closed"));
      if (waiting.size >= mostWaiting) throw unreadable(new Error("too many reports are waiting"));
      thread ??= start();
      return send(thread, name, given);
    },

    running: () => thread !== null,

    async close() {
      isClosed = true;
      const worker = thread;
      if (worker === null) return;
      const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      // When the thread dies instead of answering, it has ended just as well.
      await send(worker, "close", null).catch(() => null);
      worker.ref();
      await ended;
    },
  };
}
