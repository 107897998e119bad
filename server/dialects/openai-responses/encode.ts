/**
 * `ChatEvent`s → the events of a Responses stream or one response. Pure; runs in the server process; imports the domain only.
 *
 * `response.created` and `response.in_progress` come with the first thing there is to say, or with the first sign of life; the
 * terminal event is what closes the stream.
 */
import type { ChatEvent, ChatRequest } from "../../domain/chat.ts";
import type { Failure } from "../../domain/failure.ts";
import type { Timings } from "../../domain/usage.ts";
import { closingComment } from "../closing-comment.ts";
import type { ChatEncoder, ClosingFacts, ReplyFacts } from "../dialect.ts";
import { responseError } from "./failure.ts";
import { Output } from "./output.ts";
import {
  edited,
  framed,
  isOpening,
  isTerminal,
  type PassedFrame,
  PassedItems,
  readFrame,
  responseIn,
} from "./passed.ts";
import { ending, openingResponse, type WireObject, wireUsage } from "./response-object.ts";
import { responsesId } from "./signature.ts";

export interface ResponseEncoder extends ChatEncoder {
  /** What the client knows the response by: ours, whoever answers. */
  readonly id: string;
  /** The response object of a finished answer; null before, and after a failure. */
  readonly final: WireObject | null;
  /** The response object as it is at this moment. */
  snapshot(): WireObject;
  keepAlive(): string;
  failure(failure: Failure): string;
}

export function chatEncoder(request: ChatRequest, facts: ReplyFacts): ResponseEncoder {
  return new Encoder(request, facts);
}

class Encoder implements ResponseEncoder {
  readonly #facts: ReplyFacts;
  readonly #opening: WireObject;
  readonly #output: Output;
  #sequence = 0;
  #begun = false;
  /** Set once the events of this answer come with frames of our own wire shape: then those are what is written. */
  #passing: PassedItems | null = null;
  /** The response object an upstream of this wire shape began with. */
  #adopted: WireObject | null = null;
  /** Frames that wait for the first content. */
  #waiting: PassedFrame[] = [];
  #contentLeft = false;
  #terminal: PassedFrame | null = null;
  #final: WireObject | null = null;

  constructor(request: ChatRequest, facts: ReplyFacts) {
    this.#facts = facts;
    this.#opening = openingResponse(request, facts);
    const say = (type: string, fields: WireObject) => this.#say(type, fields);
    this.#output = new Output(say, facts.requestId, request.tools);
  }

  get id(): string {
    return String(this.#opening.id);
  }

  get final(): WireObject | null {
    return this.#final;
  }

  frames(event: ChatEvent): string {
    const { wire } = event;
    if (wire === "above" && this.#passing !== null) return "";
    if (wire !== undefined && wire !== "above" && wire.dialect === responsesId) return this.#pass(event);
    if (event.type === "frame" || event.type === "accepted" || event.type === "started") return "";
    // An attempt of our own wire shape was given up before anything of it had left.
    if (this.#passing !== null && !this.#contentLeft) this.#forgetPassed();
    return this.#encode(event);
  }

  #encode(event: ChatEvent): string {
    switch (event.type) {
      case "text":
        return this.#begin() + this.#output.text("output_text", event.text, event.logprobs);
      case "refusal":
        return this.#begin() + this.#output.text("refusal", event.text, undefined);
      case "reasoning":
        return this.#begin() + this.#output.reasoning(event.text);
      case "reasoning-block":
        return this.#begin() + this.#output.block(event.block);
      case "tool-call": {
        const { index, id, name, namespace, custom } = event;
        return this.#begin() + this.#output.call(index, id, name, namespace, custom);
      }
      case "tool-arguments":
        return this.#output.arguments(event.index, event.text);
      case "finished": {
        const end = ending(event.finishReason);
        const frames = this.#begin() + this.#output.finish(end.status === "incomplete");
        this.#final = {
          ...this.#response(),
          ...end,
          completed_at: end.status === "completed" ? this.#completedAtS(event.timings) : null,
          output: this.#output.items,
          usage: wireUsage(event.usage),
        };
        return frames;
      }
      case "failed":
        return this.failure(event.failure);
      default:
        return "";
    }
  }

  close(closing: ClosingFacts): string {
    const comment = closingComment(closing);
    if (this.#final === null) return comment;
    if (this.#terminal !== null) return comment + this.#write(this.#terminal);
    return comment + this.#say(`response.${String(this.#final.status)}`, { response: this.#final });
  }

  whole(events: readonly ChatEvent[]): string {
    const end = events.at(-1);
    const wire = end?.type === "finished" ? end.wire : undefined;
    if (wire !== undefined && wire !== "above" && wire.dialect === responsesId) {
      const body: unknown = JSON.parse(wire.data);
      this.#adopted = typeof body === "object" && body !== null ? { ...body } : {};
      this.#final = { ...this.#adopted, ...this.#edits() };
    } else {
      for (const event of events) this.frames(event);
    }
    return JSON.stringify(this.#final);
  }

  keepAlive(): string {
    if (!this.#begun) return this.#begin();
    return this.#say("response.in_progress", { response: this.snapshot() });
  }

  snapshot(): WireObject {
    const output = this.#passing !== null && this.#contentLeft ? this.#passing.items : this.#output.items;
    return { ...this.#response(), output };
  }

  failure(failure: Failure): string {
    this.#output.abandon();
    const status = failure.code === "cancelled" ? "cancelled" : "failed";
    const response = { ...this.snapshot(), status, error: responseError(failure) };
    return this.#begin() + this.#say("response.failed", { response });
  }

  /** One event that came with a frame of this wire shape. */
  #pass(event: ChatEvent): string {
    const { wire } = event;
    if (wire === undefined || wire === "above") return "";
    const frame = readFrame(wire);
    this.#passing ??= new PassedItems();
    if (event.type === "failed") return this.failure(event.failure);
    if (frame === null) return event.type === "finished" ? this.#encode(event) : "";
    if (isOpening(frame)) {
      // Another attempt begins, or the same one says again that it runs.
      if (!this.#begun) {
        if (frame.type === "response.created") this.#forgetPassed();
        this.#passing ??= new PassedItems();
        this.#adopted = responseIn(frame) ?? this.#adopted;
        return "";
      }
      return frame.type === "response.in_progress" && this.#contentLeft ? this.keepAlive() : "";
    }
    if (isTerminal(frame)) {
      const said = this.#flush();
      this.#terminal = frame;
      this.#final = { ...responseIn(frame), ...this.#edits() };
      return said;
    }
    if (event.type === "frame" && !this.#contentLeft) {
      this.#waiting.push(frame);
      return "";
    }
    return this.#flush() + this.#write(frame);
  }

  /** What waited goes before the first content. */
  #flush(): string {
    const begun = this.#begin();
    this.#contentLeft = true;
    const waited = this.#waiting.map((frame) => this.#write(frame)).join("");
    this.#waiting = [];
    return begun + waited;
  }

  #write(frame: PassedFrame): string {
    this.#passing?.see(frame);
    return edited(frame, this.#sequence++, this.#edits());
  }

  #forgetPassed(): void {
    this.#passing = null;
    this.#waiting = [];
    if (!this.#begun) this.#adopted = null;
  }

  #edits(): WireObject {
    const { id, model, store, previous_response_id } = this.#opening;
    return { id, model, store, previous_response_id };
  }

  /** The response object as it began. */
  #response(): WireObject {
    return this.#adopted === null ? this.#opening : { ...this.#adopted, ...this.#edits(), output: [] };
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    const response = this.#response();
    return this.#say("response.created", { response }) + this.#say("response.in_progress", { response });
  }

  #say(type: string, fields: WireObject): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence++, ...fields });
    return framed(type, data);
  }

  /** Epoch seconds. The clock is not ours, but where the time went is known. */
  #completedAtS({ queueMs, loadMs, prefillMs, decodeMs }: Timings): number {
    return this.#facts.createdAtS + Math.ceil((queueMs + loadMs + prefillMs + decodeMs) / 1000);
  }
}
