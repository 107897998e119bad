/**
 * `ChatEvent`s → the events of a Messages stream, or one message. Pure; runs in the server process; imports the domain only.
 *
 * What an upstream of the same wire shape sent goes out as it came; everything else is written here.
 */
import type { ChatEvent, ChatRequest, WireFrame } from "../../domain/chat.ts";
import { noUsage, type Usage } from "../../domain/usage.ts";
import { closingComment } from "../closing-comment.ts";
import type { ChatEncoder, ClosingFacts, ReplyFacts } from "../dialect.ts";
import { Blocks } from "./blocks.ts";
import { failureFrame } from "./failure.ts";
import { frame } from "./frame.ts";
import { isWholeAnswer, passedAnswer, passedFrame } from "./passed-frame.ts";
import { dialectId } from "./signature.ts";
import { wireStop } from "./stop-reasons.ts";
import { wholeUsage, wireUsage } from "./usage.ts";
import { wholeAnswer } from "./whole.ts";

const lastFrame = frame({ type: "message_stop" });

export function messageId(facts: ReplyFacts): string {
  return `msg_${facts.requestId.replace(/^req_/, "")}`;
}

export function chatEncoder(_request: ChatRequest, facts: ReplyFacts): ChatEncoder {
  const blocks = new Blocks();
  let begun = false;
  let refused = false;
  /** The prompt's part is known before the first content. */
  let counted: Usage = noUsage;
  /** Frames go out as they come: the last one was of this wire shape. */
  let passing = false;
  /** What ends the stream, once it has finished. */
  let terminator = "";

  /** The event that opens the message, before the first content and never again. */
  function opening(): string {
    if (begun) return "";
    begun = true;
    return frame({
      type: "message_start",
      message: {
        ...{ id: messageId(facts), type: "message", role: "assistant", model: facts.model, content: [] },
        ...{ stop_reason: null, stop_sequence: null, usage: wholeUsage(counted) },
      },
    });
  }

  /** Null: it has to be written here. */
  function passed(wire: WireFrame | "above" | undefined): string | null {
    if (wire === undefined) return null;
    if (wire === "above") return passing ? "" : null;
    passing = wire.dialect === dialectId && !isWholeAnswer(wire);
    if (!passing) return null;
    const { text, isLast } = passedFrame(wire, facts.model);
    if (!isLast) return text;
    terminator = text;
    return "";
  }

  function frames(event: ChatEvent): string {
    if (event.type === "failed") return failureFrame(event.failure);
    const asItCame = passed(event.wire);
    if (asItCame !== null) return asItCame;
    switch (event.type) {
      case "accepted":
        counted = { ...noUsage, promptTokens: event.promptTokens };
        return "";
      case "started":
        counted = { ...noUsage, promptTokens: event.promptTokens, cachedTokens: event.cachedTokens };
        return "";
      case "text":
        return opening() + blocks.text(event.text);
      case "refusal":
        refused = true;
        return opening() + blocks.text(event.text);
      case "reasoning":
        return opening() + blocks.thinking(event.text);
      case "reasoning-block":
        return opening() + blocks.signed(event.block);
      case "tool-call":
        return opening() + blocks.call(event);
      case "tool-arguments":
        return opening() + blocks.arguments(event);
      case "finished": {
        terminator = lastFrame;
        const delta = wireStop(event.finishReason, event.stopSequence, refused);
        return opening() + blocks.close() + frame({ type: "message_delta", delta, usage: wireUsage(event.usage) });
      }
      case "choice-finished":
      case "frame":
      case "aborted":
        return "";
    }
  }

  function close(closing: ClosingFacts): string {
    // Without `message_stop` a client knows that what it has is not the whole answer.
    return closingComment(closing) + terminator;
  }

  function whole(events: readonly ChatEvent[]): string {
    const end = events.at(-1);
    const wire = end?.wire;
    if (wire !== undefined && wire !== "above" && wire.dialect === dialectId && isWholeAnswer(wire)) {
      return passedAnswer(wire.data, facts.model);
    }
    return wholeAnswer(events, messageId(facts), facts.model);
  }

  return { frames, close, whole };
}
